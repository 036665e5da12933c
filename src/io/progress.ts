/** Where long work reports to. Rooms get one from their caller and never print themselves. */
export interface Progress {
  /** Starts a task of `total` units (undefined where unknown); `unit` is a plural noun such as "images". */
  begin(label: string, total: number | undefined, unit: string): ProgressTask;
}

export interface ProgressTask {
  /** Reports `n` (default 1) more units as done. */
  advance(n?: number): void;
  /** A line that should stay, such as a warning. */
  note(text: string): void;
  end(): void;
}

/** Reports nothing. */
export const silentProgress: Progress = {
  begin: () => ({ advance: () => undefined, note: () => undefined, end: () => undefined }),
};

/** The stream that `streamProgress` writes to: process.stderr in practice. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Progress with rate and time left: one line redrawn ten times a second on a terminal, a quiet line at most every
 * `logEveryMs` (and one at the end) where the output is a log.
 */
export function streamProgress(
  stream: ProgressStream,
  options: { logEveryMs?: number; now?: () => number } = {},
): Progress {
  const now = options.now ?? (() => performance.now());
  const isTerminal = stream.isTTY === true;
  const everyMs = isTerminal ? 100 : (options.logEveryMs ?? 10_000);
  return {
    begin(label, total, unit) {
      const start = now();
      let done = 0;
      let last = start;
      let ended = false;
      const clear = (): void => {
        if (isTerminal) stream.write("\r\u001b[2K");
      };
      return {
        advance(n = 1) {
          done += n;
          const time = now();
          if (time - last < everyMs) return;
          last = time;
          const line = progressLine(label, done, total, unit, time - start);
          if (isTerminal) stream.write(`\r\u001b[2K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
          else stream.write(`${line}\n`);
        },
        note(text) {
          clear();
          stream.write(`${text}\n`);
        },
        end() {
          if (ended) return;
          ended = true;
          clear();
          if (done > 0) stream.write(`${doneLine(label, done, unit, now() - start)}\n`);
        },
      };
    },
  };
}

/** "embed images  1,200/20,000 images  312/s  1 min left". */
export function progressLine(
  label: string,
  done: number,
  total: number | undefined,
  unit: string,
  elapsedMs: number,
): string {
  const rate = (done * 1000) / Math.max(1, elapsedMs);
  const amount = total === undefined ? formatNumber(done) : `${formatNumber(done)}/${formatNumber(total)}`;
  const left = total === undefined || rate === 0 ? "" : `  ${duration(((total - done) / rate) * 1000)} left`;
  return `${label}  ${amount} ${unit}  ${rateText(rate)}${left}`;
}

function doneLine(label: string, done: number, unit: string, elapsedMs: number): string {
  return `${label}  ${formatNumber(done)} ${unit} in ${duration(elapsedMs)}  ${rateText((done * 1000) / Math.max(1, elapsedMs))}`;
}

/** A time span for people: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds - minutes * 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A whole number with thousands separators, independent of the locale. */
export function formatNumber(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A number with its noun, which takes an s unless there is one: "1 image", "1,200 images". */
export function formatCount(n: number, noun: string): string {
  return `${formatNumber(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** Bytes for people, in powers of 1000: "31.0 MB". */
export function byteText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} bytes` : `${value.toFixed(1)} ${units[unit]}`;
}

function rateText(rate: number): string {
  return rate >= 10 ? `${formatNumber(rate)}/s` : `${rate.toFixed(1)}/s`;
}
