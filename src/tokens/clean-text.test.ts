import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { cleanText, repairText } from "./clean-text.ts";
import { unescapeHtml } from "./html-entities.ts";

describe("cleanText", () => {
  it.each([
    ["plain ASCII stays", "two   Words\there", "two words here"],
    ["UTF-8 read as Windows-1252", "cafÃ© donâ€™t", "café don't"],
    ["the same twice", "cafÃƒÂ©", "café"],
    ["à whose second byte became a blank", "voilÃ le travail", "voilà le travail"],
    ["Greek, repaired as a whole", "Î•Î»Î»Î¬Î´Î±", "ελλάδα"],
    ["sound accents are left alone", "CAFÉ” VOILÀ» SÃO É…", 'café" voilà» são é…'],
    ["curly quotes", "“it’s” ‘fine’", "\"it's\" 'fine'"],
    ["ligatures and wide letters", "ﬁne ＷＩＤＥ　ｶ", "fine wide カ"],
    ["Windows-1252 in C1 controls", "a\u0085b \u0093c\u0094", 'a…b "c"'],
    ["terminal colours and controls", "\u001b[31mred\u001b[0m\u0000\ufeff hat", "red hat"],
    ["decomposed accents are composed", "cafe\u0301", "café"],
    ["lone surrogates", "a\ud800b", "a\ufffdb"],
    ["HTML, also nested", "&amp;lt;b&amp;gt; &eacute; &#233; &#xe9 &EACUTE;", "<b> é é é é"],
    ["capitals only outside markup", "&EACUTE; <b>", "&eacute; <b>"],
    ["white space of Python's kind", "a\u0085\u00a0\u2003b\u3000", "a… b"],
  ])("%s", (_why, text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  it("stays quick on a long hostile line", () => {
    expect(cleanText("&".repeat(20_000) + "Ã".repeat(20_000)).length).toBe(40_000);
  });
});

describe("unescapeHtml", () => {
  it("takes the longest known name and the standard's numbers", () => {
    expect(unescapeHtml("&notit; &notin; &#150;&#0;&#x110000;|&#xFFFE;|&#12;| &unknown; &#; a&b")).toBe(
      "¬it; ∉ –\ufffd\ufffd||\f| &unknown; &#; a&b",
    );
  });
});

const hasFtfy = pythonHas("ftfy");

describe("against ftfy itself", () => {
  it.skipIf(!hasFtfy)("repairs whole-line damage and odd characters to the same text", () => {
    const sound = [
      "café à la crème",
      "naïve façade",
      "señor niño",
      "“quoted” – dash …",
      "žluťoučký kůň",
      "привет",
      "日本語",
      "🍕 😀",
      "© ® ™ ½ °",
    ];
    const damaged = sound.flatMap((text) => {
      const once = Buffer.from(text).toString("latin1");
      return [text, once, Buffer.from(once).toString("latin1")];
    });
    const script = "import sys, json, ftfy\nprint(json.dumps([ftfy.fix_text(t) for t in json.load(sys.stdin)]))";
    expect(damaged.map(repairText)).toEqual(JSON.parse(runPython(script, [], JSON.stringify(damaged))));
  });
});
