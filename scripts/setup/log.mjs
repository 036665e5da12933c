// What setup says goes to standard error: the demo's standard output stays the demo's own.

/** Prints one line. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Opens the report of one long action: on a terminal a line that is rewritten as time passes, in a log one line at the
 * beginning and one at the end. `note(text)` shows the newest line of the action's own output (terminal only),
 * `end(outcome)` closes it with the duration.
 */
export function beginAction(label) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  if (!process.stderr.isTTY) {
    say(`${label} ...`);
    return { note: () => undefined, end: (outcome) => say(`${label}: ${outcome} (${seconds()} s)`) };
  }
  let latest = "";
  const draw = () => {
    const width = (process.stderr.columns || 80) - 1;
    process.stderr.write(`\r\x1b[K${`${label} ... ${seconds()} s  ${latest}`.slice(0, width)}`);
  };
  draw();
  const timer = setInterval(draw, 500);
  return {
    note: (text) => {
      latest = text;
    },
    end: (outcome) => {
      clearInterval(timer);
      process.stderr.write(`\r\x1b[K${label}: ${outcome} (${seconds()} s)\n`);
    },
  };
}
