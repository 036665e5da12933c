import type { Progress } from "../io/index.ts";
import type { DatasetRecord } from "../model/index.ts";

/** Where a dataset lies and which of its variants is meant. */
export interface ImportOptions {
  /** The dataset's folder, or the one file that holds it. */
  readonly source: string;
  /** The folder that image names are relative to; found from the source where the format has a custom. */
  readonly images?: string | undefined;
  /** Which dataset, where `source` is a folder of several. */
  readonly dataset?: string | undefined;
  /** Which of a dataset's splittings: unc, google, umd, … */
  readonly splitBy?: string | undefined;
  /** Which column of a table is what: "image=path,mask=masks/{id}.png". */
  readonly columns?: string | undefined;
  /** The source's name in the pool, where the dataset's own will not do. */
  readonly name?: string | undefined;
}

/** A file that the records come from; `sha256` in lower-case hex. Images are not listed. */
export interface SourceFile {
  readonly path: string;
  readonly sha256: string;
}

/** What a dataset's publication says of one split; a number that it does not state is left out. */
export interface SplitCounts {
  readonly refs?: number;
  readonly images?: number;
  readonly expressions?: number;
}

/** Published counts by split; "all" stands for the whole dataset. */
export type PublishedCounts = Readonly<Record<string, SplitCounts>>;

/** An opened dataset: found, hashed, and ready to be read any number of times with equal results. */
export interface ImportSource {
  readonly format: string;
  /** The source's name, "refcoco-unc" say; part of every stable key. */
  readonly name: string;
  readonly splitBy?: string;
  /** The folder that `ImageRecord.file` is relative to. Where images carry their bytes, the source's own folder. */
  readonly imagesFolder: string;
  readonly files: readonly SourceFile[];
  /**
   * Streams the dataset: an image before its annotations, an annotation before the refs that name it, a ref before its
   * expressions. What cannot be understood is a `bad` record and the stream goes on; only a file that cannot be read
   * as its format throws a NemosaicError.
   */
  records(): AsyncIterable<DatasetRecord>;
  /** What the dataset's publication promises, where this is a known dataset. */
  readonly counts?: PublishedCounts;
  /** Lines that a person should read before training on this. */
  readonly warnings: readonly string[];
}

/** How a path was recognised, in words, and the options to open it with. */
export interface Recognition {
  readonly how: string;
  readonly options: ImportOptions;
}

/** One dataset format. */
export interface Importer {
  /** The name that a command line gives: "refer". */
  readonly name: string;
  /** One line for a person. */
  readonly title: string;
  /** What `recognise` looks for, for the error that finds nothing. */
  readonly looksFor: string;
  /** Looks at names and first bytes only; undefined where the path is something else. Never throws for what it finds. */
  recognise(path: string): Promise<Recognition | undefined>;
  /**
   * Finds and hashes the files; `progress` hears of hashing where they may be large.
   * Errors: "not-found", "usage", "bad-input", "refused", "unsupported".
   */
  open(options: ImportOptions, progress?: Progress): Promise<ImportSource>;
}
