import { fail } from "../../model/index.ts";

const protocolOpcode = 0x80;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** Line feeds that a pickle must hold, all behind a CR, before that is no accident. */
const telling = { text: 2, binary: 4 };

/**
 * Refuses a pickle that some program copied as text, which makes CR LF of every line feed: strings of protocol 0 would
 * end in a CR ("train\r"), numbers and lengths of the binary protocols would be others. A sound pickle of protocol 0
 * ends its numbers with a bare line feed. Errors: "bad-input".
 */
export function refuseTextMode(bytes: Uint8Array, where: string): void {
  const isBinary = bytes[0] === protocolOpcode;
  let feeds = 0;
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) {
    if (bytes[at - 1] !== carriageReturn) return;
    feeds++;
  }
  if (feeds < (isBinary ? telling.binary : telling.text)) return;
  fail(
    "bad-input",
    `expected a pickle in ${where}, got one whose line ends became CR LF: it was copied as text (git's autocrlf, FTP, an ` +
      "editor); copy the original again as binary",
  );
}
