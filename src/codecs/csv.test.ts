import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCsv } from "./csv.ts";

const cells = (text: string): (readonly string[])[] => parseCsv(text, "a.csv").map((row) => row.cells);

describe("parseCsv", () => {
  it("reads quotes, doubled quotes, line ends in cells, CR LF and blank lines, and numbers lines", () => {
    const text = 'image,text\r\na.jpg,"the ""left"" one, near"\r\n\r\nb.jpg,"two\nlines"\nc.jpg,';
    expect(parseCsv(text, "a.csv")).toEqual([
      { line: 1, cells: ["image", "text"] },
      { line: 2, cells: ["a.jpg", 'the "left" one, near'] },
      { line: 4, cells: ["b.jpg", "two\nlines"] },
      { line: 6, cells: ["c.jpg", ""] },
    ]);
  });

  it("takes the separator that the first line has most of", () => {
    expect(cells("a;b;c\n1,5;2;3")).toEqual([
      ["a", "b", "c"],
      ["1,5", "2", "3"],
    ]);
    expect(cells("a\tb\nx, y\tz")).toEqual([
      ["a", "b"],
      ["x, y", "z"],
    ]);
  });

  it("names the line of a quote that does not end", () => {
    expect(() => parseCsv('a,b\n1,"2\n3', "a.csv")).toThrow(/line 2 of a\.csv/);
  });

  it("gives back whatever was written", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", " ", "ä") });
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1 });
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map((row) => row.map((c) => `"${c.replaceAll('"', '""')}"`).join(",")).join("\n");
        expect(cells(`x,y,z\n${text}`).slice(1)).toEqual(rows);
      }),
    );
  });
});
