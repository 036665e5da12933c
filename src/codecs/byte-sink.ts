/** A buffer that grows as bytes are appended. Integers are little-endian unless said otherwise. */
export class ByteSink {
  #buffer: Buffer;
  #view: DataView;
  #used = 0;

  constructor(capacity = 1024) {
    this.#buffer = Buffer.alloc(capacity);
    this.#view = viewOf(this.#buffer);
  }

  get length(): number {
    return this.#used;
  }

  uint8(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }

  uint16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value, true);
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  /** Big-endian, as pickle asks for. */
  float64BigEndian(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, false);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }

  /** A copy of what was appended. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#used));
  }

  #room(count: number): number {
    const at = this.#used;
    this.#used += count;
    if (this.#used > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(this.#used, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
      this.#view = viewOf(grown);
    }
    return at;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
