import type {
  HorizontalPlace,
  Place,
  PositionFinding,
  PositionMention,
  UnsafeReason,
  VerticalPlace,
} from "./finding.ts";

/** Joins the mentions of an expression into what they say together. */
export function summarize(
  mentions: readonly PositionMention[],
  cornerInChain: boolean,
  unknownCount: boolean,
): PositionFinding {
  const binding = mentions.filter(({ scope, negated }) => scope === "absolute" && !negated);
  const place = placeOf(binding);
  const corner = cornerInChain || binding.some(({ value }) => value === "corner");
  const edge = binding.some(({ value }) => value === "edge");
  const reasons: UnsafeReason[] = [];
  const denied = deniedOf(mentions);
  if (contradicts(place, denied)) reasons.push("conflict");
  if ((corner || edge) && !isSide(place.horizontal) && !isSide(place.vertical)) reasons.push("unknown-side");
  if (unknownCount) reasons.push("unknown-count");
  return { mentions, ...place, corner, denied, unsafe: reasons.length > 0, reasons };
}

function contradicts(place: Place, denied: readonly Place[]): boolean {
  if (place.horizontal === "conflict" || place.vertical === "conflict") return true;
  return denied.some(({ horizontal, vertical }) => {
    const across = horizontal === undefined || horizontal === place.horizontal;
    return across && (vertical === undefined || vertical === place.vertical);
  });
}

function isSide(place: HorizontalPlace | VerticalPlace | undefined): boolean {
  return place !== undefined && place !== "center";
}

function placeOf(mentions: readonly PositionMention[]): Place {
  let horizontal: HorizontalPlace | undefined;
  let vertical: VerticalPlace | undefined;
  for (const { axis, value } of mentions) {
    if (value === "left" || value === "right" || (value === "center" && axis !== "vertical")) {
      horizontal = horizontal === undefined || horizontal === value ? value : "conflict";
    }
    if (value === "top" || value === "bottom" || (value === "center" && axis !== "horizontal")) {
      vertical = vertical === undefined || vertical === value ? value : "conflict";
    }
  }
  return { ...(horizontal === undefined ? {} : { horizontal }), ...(vertical === undefined ? {} : { vertical }) };
}

/** The denied places, one for each number; a denied corner, edge or depth names no cell and is left out. */
function deniedOf(mentions: readonly PositionMention[]): Place[] {
  const places = new Map<number, PositionMention[]>();
  for (const mention of mentions) {
    if (!mention.negated) continue;
    const members = places.get(mention.place);
    if (members === undefined) places.set(mention.place, [mention]);
    else members.push(mention);
  }
  return [...places.values()].map(placeOf).filter((place) => Object.keys(place).length > 0);
}
