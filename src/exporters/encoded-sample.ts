/** What an exporter keeps of a record: JSON. */
export type RecordMeta = Readonly<Record<string, unknown>>;

/** What an exporter makes of one sample. */
export interface EncodedSample {
  /** What the assembly has to know of it, as JSON. */
  readonly meta: RecordMeta;
  /** Bytes kept in the part until the assembly. */
  readonly blob?: Uint8Array;
  /** Files that are final already, relative to the export's folder. */
  readonly files?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}
