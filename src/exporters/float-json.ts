/**
 * JSON of numbers with a decimal point in each: 41 → 41.0. numpy takes a list of whole numbers for integers, and what
 * detectron2 then scales in place is cut off to whole pixels; the published files hold floats.
 */
export function floatJson(value: number | readonly number[] | readonly (readonly number[])[]): string {
  if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : String(value);
  return `[${(value as readonly (number | readonly number[])[]).map((item) => floatJson(item)).join(", ")}]`;
}
