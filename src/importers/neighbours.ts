import { join } from "node:path";
import { kindOf, namesIn } from "./places.ts";

/** Containers that datasets come in and that nothing here reads, by the ending of their files, with what to do. */
const advice: readonly (readonly [ending: RegExp, what: string, remedy: string])[] = [
  [
    /\.arrow$/i,
    "an Arrow file as save_to_disk of Hugging Face datasets writes",
    `write Parquet: datasets.load_from_disk(FOLDER)["train"].to_parquet("train.parquet"), one file a split`,
  ],
  [/\.feather$/i, "a Feather file", `write Parquet: pandas.read_feather(FILE).to_parquet("train.parquet")`],
  [/\.xlsx?$/i, "an Excel file", "save the sheet as CSV (UTF-8) and import it as table"],
  [/\.(h5|hdf5)$/i, "an HDF5 file", "write its images and masks as files, and a table or JSON lines that name them"],
  [/\.mat$/i, "a MATLAB file", "write its images and masks as files, and a table or JSON lines that name them"],
  [/\.(npz|npy)$/i, "a NumPy file", "write masks as PNG files, and a table or JSON lines that name them"],
  [/\.(zip|7z|rar|tgz|tar\.gz|tar\.bz2|tar\.xz)$/i, "an archive", "unpack it and import the folder"],
];

/**
 * One line about a container that is not read: `path` is one, or a folder (or its folders) of nothing but such and what
 * describes them. Undefined for everything else.
 */
export async function neighbourAdvice(path: string): Promise<string | undefined> {
  const kind = await kindOf(path);
  if (kind === undefined) return undefined;
  if (kind === "file") return adviceFor([path], path);
  const own = await namesIn(path);
  if (own.length > 1000) return undefined; // a folder of images; its names are not folders
  const inner = await Promise.all(
    own.map(async (name) => (await namesIn(join(path, name))).map((file) => `${name}/${file}`)),
  );
  const files = [...own, ...inner.flat()].filter((name) => name.includes("."));
  const isArrow = files.some((name) => name.endsWith(".arrow")) && !files.some((name) => name.endsWith(".parquet"));
  return isArrow ? adviceFor(files, path) : undefined;
}

function adviceFor(files: readonly string[], path: string): string | undefined {
  for (const [ending, what, remedy] of advice) {
    const file = files.find((name) => ending.test(name));
    if (file !== undefined)
      return `expected a dataset that can be imported at "${path}", got ${what}${file === path ? "" : ` ("${file}")`}; ${remedy}`;
  }
  return undefined;
}
