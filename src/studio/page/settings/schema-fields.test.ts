import { describe, expect, it } from "vitest";
import { parseSettings, settingsJsonSchema } from "../../../settings/index.ts";
import { choicesOf, fieldGroups, type SchemaNode } from "./schema-fields.ts";

const schema = settingsJsonSchema() as SchemaNode;

describe("fieldGroups", () => {
  it("has a field for every key of the settings, each explained", () => {
    const keys = fieldGroups(schema).flatMap(({ fields }) => fields.map(({ key }) => key));
    const expected = Object.entries(parseSettings({}, "the test")).flatMap(([key, value]) =>
      value !== null && typeof value === "object" ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key],
    );
    // A key that is absent unless it is set: settings without it keep their hash.
    expect([...keys].sort()).toEqual([...expected, "band.judge"].sort());
    expect(fieldGroups(schema).flatMap(({ fields }) => fields.filter(({ about }) => about === ""))).toEqual([]);
  });

  it("offers named values beside numbers", () => {
    const fields = new Map(fieldGroups(schema).flatMap(({ fields }) => fields.map((field) => [field.key, field])));
    expect(fields.get("band.tau")).toMatchObject({ control: "number", choices: ["auto", null], least: -1, most: 1 });
    expect(fields.get("band.k")).toMatchObject({ control: "number", isWhole: true, least: 1, choices: [] });
    expect(fields.get("mosaic.fit")?.control).toBe("choice");
    expect(choicesOf(schema, "resample")).toEqual(["opencv", "fast"]);
    expect(choicesOf(schema, "no.such")).toEqual([]);
  });
});
