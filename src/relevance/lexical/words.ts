/**
 * The words of a text that say what is in a picture: lower case, split at anything but letters and digits, plurals
 * brought to their singular, without words of grammar and of place ("left" says where, not what).
 */
export function contentWords(text: string): string[] {
  const words =
    text
      .normalize("NFC")
      .toLowerCase()
      .replace(/['’]s\b/g, "")
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map(singular).filter((word) => !stopWords.has(word));
}

/** English plurals by ending (after Harman's S-stemmer) and the irregular ones that people in pictures bring. */
export function singular(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length < 4 || !word.endsWith("s") || /(?:ss|us|is)$/.test(word)) return word;
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ss|sh|ch|x|zz|to)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({
    men: "man",
    women: "woman",
    people: "person",
    persons: "person",
    children: "child",
    kids: "child",
    kid: "child",
    guys: "man",
    guy: "man",
    lady: "woman",
    ladies: "woman",
    buses: "bus",
    knives: "knife",
    leaves: "leaf",
    shelves: "shelf",
    feet: "foot",
    teeth: "tooth",
    geese: "goose",
    mice: "mouse",
    pants: "pants",
    jeans: "jeans",
    shorts: "shorts",
    glasses: "glasses",
    scissors: "scissors",
    tv: "television",
    tvs: "television",
    bike: "bicycle",
    bikes: "bicycle",
    motorbike: "motorcycle",
    motorbikes: "motorcycle",
    plane: "airplane",
    planes: "airplane",
    sofa: "couch",
  }),
);

const grammar =
  "a an the this that these those it its he she him her his they them their we us you your my me i who which what where " +
  "is are was were be been being am do does did has have had can could will would in on at of to from by with without " +
  "for and or but not no nor as than then so if into onto off out up down over under there here just only very also too " +
  "one other another any all both each some w s t re ve m ll d don isn aren doesn didn";
const place =
  "left right leftmost rightmost top bottom upper lower middle center centre mid far near nearest closest close next " +
  "front back behind beside side above below between corner edge end first second third fourth fifth last 1st 2nd 3rd " +
  "4th furthest farthest closer nearer most part half facing";
const stopWords: ReadonlySet<string> = new Set(`${grammar} ${place}`.split(" ").map(singular));
