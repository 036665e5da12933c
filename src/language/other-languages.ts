/**
 * The position rules are for English. In a sentence of another language an English look-alike ("le centre", "on top" of a
 * brand) means nothing, and the words that do name a place are not understood. So such a sentence binds no cell, and one that
 * names a place by a word listed here is unsafe in any.
 *
 * A sentence is of another language where more of its words are of that kind than of English: words in another script, words
 * with letters that English lacks, and the words of grammar and of place below. One that shows no sign of a language is taken
 * for English: without words of either list it names no place.
 */
import { repairs } from "./lexicon.ts";
import { tokenizeWords } from "./words.ts";

/** What a sentence shows of its language. */
export interface Language {
  readonly isEnglish: boolean;
  /** Of another language: a word says where in the picture, or which one in a row. */
  readonly namesPlace: boolean;
}

/** The language of an expression, as far as its words tell. Any string is accepted; time is linear in its length. */
export function languageOf(expression: string): Language {
  if (plainEnglish.test(expression) && !foreignWord.test(expression)) return english;
  let own = 0;
  let other = 0;
  for (const { text } of tokenizeWords(expression)) {
    if (englishWords.has(text) || (repairs.has(text) && !centres.test(text))) own++;
    else if (foreign.has(text) || otherScript.test(text) || otherLetters.test(text)) other++;
    else if (startsPlace(text) && !likeStems.test(text)) other++;
  }
  if (other <= own) return english;
  const isPlace = (text: string): boolean => startsPlace(text) || centres.test(text);
  const namesPlace =
    placeInText.test(expression.toLowerCase()) || tokenizeWords(expression).some(({ text }) => isPlace(text));
  return { isEnglish: false, namesPlace };
}

/**
 * One line about the expressions of languages that the position rules do not know; undefined where they are fewer than one in
 * two hundred, which English with a foreign word or two also reaches.
 */
export function languageRemark(expressions: readonly string[]): string | undefined {
  const others = expressions.filter((expression) => !languageOf(expression).isEnglish);
  if (others.length === 0 || others.length * leastShare < expressions.length) return undefined;
  const placing = others.filter((expression) => languageOf(expression).namesPlace).length;
  const count = (n: number): string => n.toLocaleString("en-US");
  return `${count(others.length)} of ${count(expressions.length)} expressions are not in English, the only language whose position words are known (such as ${JSON.stringify(others[0])}): ${count(placing)} of them name a place by a known word and get the single image; the others may be in any cell, which is wrong if they name a place (docs/placement.md)`;
}

const leastShare = 200;
const english: Language = { isEnglish: true, namesPlace: false };
const plainEnglish = /^[ -~]*$/;
const otherScript = /[^\p{Script=Latin}\P{L}]/u;
/** Latin letters of other languages; "café" and "naïve" are English. */
const otherLetters =
  /[äöüßñçãõåøæœłśźżćńęąğışőűčřšžěůďťňăâđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹàèìòùáíóúêîôûý]/u;

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((word) => word !== ""));

/** Words of grammar that are no English words. */
const foreign = set(`
der das dem den ein eine einen einem einer mit und auf im vom zum zur ist neben vor hinter über unter dritte zwischen
le la les un une des du au aux avec et est dans sur sous qui devant derrière près
el los las una unos con del al y en es sobre bajo junto detrás delante hombre mujer persona chica chico
il lo gli della dello dei delle nel nella sul sulla che accanto dietro uomo donna
os um uma com da na ao em é homem mulher
het een met op naast achter voor tussen
och med på som är ett av den det og er
z po przy obok który ve bir ile yang di dan dengan
`);

/** Common words of referring expressions that the others have not. */
const englishWords = set(`
the of on with is and to at by from front back left right top bottom middle center upper lower corner second third next behind
woman guy girl boy lady kid child people player red blue green white black yellow brown orange pink purple grey gray
shirt hat pants jacket dress wearing holding sitting standing looking closest farthest far nearest near big small large little
tall short one two who that this his her not without only car bus truck train bike horse dog cat cow elephant zebra giraffe
chair couch table bed bowl plate cup pizza cake sandwich umbrella
`);

/** How words of place and count begin, in languages of Latin letters. */
const placeStems = set(`
links rechts linke rechte obere untere oben unten mitte mittler ecke zweite dritte vierte letzte vorderst hinterst
gauche droite haut milieu coin premier première deuxième troisième dernier dernière
izquierd derech arriba abajo esquina primero primera segund tercer últim
sinistr destr basso angolo primo seconda terzo terza ultimo ultima mezzo
esquerd direit cima baixo meio canto
boven onder midden hoek eerste tweede derde laatste
vänster höger överst nederst mitten venstre højre høyre øverst
lew praw górn doln środk rogu
sağ üstte altta ortada köşe
trái phải giữa kiri kanan atas bawah tengah sudut
`);
const longestStem = Math.max(...[...placeStems].map(({ length }) => length));
const shortestStem = Math.min(...[...placeStems].map(({ length }) => length));
const foreignWord = new RegExp(`\\b(${[...foreign, ...placeStems].join("|")})`, "i");

function startsPlace(word: string): boolean {
  for (let length = shortestStem; length <= longestStem && length <= word.length; length++)
    if (placeStems.has(word.slice(0, length))) return true;
  return false;
}

/** English words that begin so: no sign of another language. */
const likeStems =
  /^(links|haut|coin|coins|premier\w*|under\w*|meio\w+|canto\w*|lew\w+|mezzo\w*|destroy\w*|kiri\w+|mitten\w*|primo|ultima\w*|cima\w+|praw\w*|middens?|sagus|basso\w+)$/;
/** Centres: spelled so in English too. */
const centres = /^(centr|zentr|medio$)/;

/** Words of place and count where words have no spaces or many endings. */
const placeInText = new RegExp(
  [
    "左|右|中间|中間|中央|正中|角落|顶|頂|底部|上面|上方|上边|上邊|最上|下面|下方|下边|下邊|最下|第[一二三四五六七八九十0-9]",
    "真ん中|上の|下の|番目|隅|왼쪽|오른쪽|위쪽|위에|아래|가운데|중앙|구석|모서리|번째",
    "(?<!\\p{L})(?:лев|слева|прав|справа|верх|сверху|вверху|ниж|снизу|внизу|углу|перв|втор|треть|послед)|середин|центр",
    "يسار|يمين|أعلى|أسفل|وسط|زاوية|बाएं|बाएँ|बायीं|दाएं|दाएँ|दायीं|ऊपर|नीचे|बीच|कोने",
    "ซ้าย|ขวา|ด้านบน|ด้านล่าง|กลาง|มุม|שמאל|ימין|למעלה|למטה|אמצע|αριστερ|δεξι|πάνω|κάτω|μέση|γωνία",
  ].join("|"),
  "u",
);
