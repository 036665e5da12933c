import { fail, unknownName } from "../../model/index.ts";
import { type Dict, exactId, field } from "../values.ts";

/** What a column can hold, and the names that such columns usually have, the most telling first. */
const roles = {
  image: ["image", "image_path", "image_file", "image_name", "img", "img_path", "img_name", "file_name", "filename"],
  mask: ["mask", "mask_path", "mask_file", "mask_name", "segmentation", "rle", "polygon", "polygons"],
  text: ["text", "sentence", "expression", "caption", "phrase", "prompt", "query", "sent", "description", "question"],
  split: ["split", "set", "subset", "fold"],
  ref: ["ref_id", "ref", "object_id"],
  sentence: ["sent_id", "sentence_id"],
  category: ["category", "category_name", "class", "label"],
  bbox: ["bbox", "box"],
  exist: ["exist", "exists"],
} as const;

export type Role = keyof typeof roles;

/** The column of each role: a name, or a template such as "masks/{id}.png". */
export type Columns = { readonly image: string; readonly mask: string; readonly text: string } & {
  readonly [role in Role]?: string | undefined;
};

/** The columns by their usual names; undefined where one of the three that are needed is not among them. */
export function usualColumns(names: readonly string[]): Columns | undefined {
  const found = byUsualNames(names);
  const { image, mask, text } = found;
  return image === undefined || mask === undefined || text === undefined ? undefined : { ...found, image, mask, text };
}

/**
 * The columns as `given` says ("image=path,text=phrase"), the rest by their usual names. Errors: "usage" for an unknown
 * role or column; "bad-input" where image, mask or text is not found.
 */
export function resolveColumns(names: readonly string[], given: string | undefined, path: string): Columns {
  const found: { [role in Role]?: string } = byUsualNames(names);
  for (const part of given?.split(",") ?? []) {
    const [role = "", column = ""] = part.split(/=(.*)/s).map((text) => text.trim());
    if (!Object.hasOwn(roles, role)) throw unknownName("role in --columns", role, Object.keys(roles));
    const used = isTemplate(column) ? [...column.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? "") : [column];
    for (const name of used) if (!names.includes(name)) throw unknownName(`column of "${path}"`, name, names);
    found[role as Role] = column;
  }
  const { image, mask, text } = found;
  if (image !== undefined && mask !== undefined && text !== undefined) return { ...found, image, mask, text };
  const missing = (["image", "mask", "text"] as const).filter((role) => found[role] === undefined);
  const listed =
    names.length === 0
      ? "no columns"
      : `the columns ${names
          .slice(0, 12)
          .map((name) => name.slice(0, 30))
          .join(", ")}`;
  fail(
    "bad-input",
    `expected columns for ${missing.join(", ")} in "${path}", got ${listed}; name them with --columns ${missing.map((role) => `${role}=…`).join(",")}`,
  );
}

/** A row's cell: of a template, the text with the cells that it names; empty where one of these is. */
export function cellOf(row: Dict, column: string | undefined): unknown {
  if (column === undefined) return undefined;
  if (!isTemplate(column)) return field(row, column);
  let isEmpty = false;
  const text = column.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const cell = exactId(field(row, name));
    if (cell === undefined) isEmpty = true;
    return cell ?? "";
  });
  return isEmpty ? undefined : text;
}

function isTemplate(column: string): boolean {
  return /\{[^{}]*\}/.test(column);
}

function byUsualNames(names: readonly string[]): { [role in Role]?: string } {
  const found: { [role in Role]?: string } = {};
  for (const [role, usual] of Object.entries(roles)) {
    for (const name of usual) {
      const column = names.find((candidate) => candidate.toLowerCase().replaceAll(/[\s-]/g, "_") === name);
      if (column === undefined) continue;
      found[role as Role] = column;
      break;
    }
  }
  return found;
}
