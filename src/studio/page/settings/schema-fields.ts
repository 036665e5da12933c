/** A JSON Schema node, as far as settings use it. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly default?: unknown;
}

/** How one key is edited. */
export interface SettingsField {
  readonly key: string;
  readonly name: string;
  readonly about: string;
  readonly control: "choice" | "switch" | "number" | "text" | "json";
  /** Values that stand beside the number or text: "auto", null, … */
  readonly choices: readonly unknown[];
  readonly isWhole: boolean;
  readonly least: number | undefined;
  readonly most: number | undefined;
}

export interface FieldGroup {
  readonly name: string;
  readonly fields: readonly SettingsField[];
}

/** The fields of a settings schema in groups: keys of the top level first, then one group an object. */
export function fieldGroups(schema: SchemaNode): FieldGroup[] {
  const top: SettingsField[] = [];
  const groups: FieldGroup[] = [];
  for (const [name, node] of Object.entries(schema.properties ?? {})) {
    if (name === "$schema" || name === "preset") continue;
    if (node.properties === undefined) top.push(fieldOf(name, name, node));
    else
      groups.push({
        name,
        fields: Object.entries(node.properties).map(([inner, field]) => fieldOf(`${name}.${inner}`, inner, field)),
      });
  }
  return [...groups, { name: "general", fields: top }];
}

/** The named values that a key may take; empty where it takes none or the schema lacks it. */
export function choicesOf(schema: SchemaNode, key: string): string[] {
  const node = key.split(".").reduce<SchemaNode | undefined>((inner, part) => inner?.properties?.[part], schema);
  return (node?.enum ?? []).filter((value) => typeof value === "string");
}

function fieldOf(key: string, name: string, node: SchemaNode): SettingsField {
  const about = node.description ?? "";
  const shared = { key, name, about, isWhole: false, least: undefined, most: undefined };
  const options = node.anyOf ?? node.oneOf ?? [node];
  const named = options.flatMap((option): unknown[] => {
    if (option.enum !== undefined) return [...option.enum];
    if (option.const !== undefined) return [option.const];
    return option.type === "null" ? [null] : [];
  });
  const open = options.filter(
    (option) => option.enum === undefined && option.const === undefined && option.type !== "null",
  );
  const [first] = open;
  if (first === undefined) return { ...shared, control: "choice", choices: named };
  if (open.length > 1) return { ...shared, control: "json", choices: named };
  if (first.type === "boolean") return { ...shared, control: "switch", choices: named };
  if (first.type === "number" || first.type === "integer") {
    const isWhole = first.type === "integer";
    return { ...shared, control: "number", choices: named, isWhole, least: first.minimum, most: first.maximum };
  }
  if (first.type === "string") return { ...shared, control: "text", choices: named };
  return { ...shared, control: "json", choices: named };
}
