import { cpus } from "node:os";

/** Cores that stand still, but for what this process does: told from two looks at the system's counters. */
export class IdleCores {
  #before = read();

  /** How many stood still since the last call, with fractions. What this process used counts as free: it may use that again. */
  measure(): number {
    const [before, now] = [this.#before, read()];
    this.#before = now;
    const total = now.total - before.total;
    if (total <= 0) return 0;
    const free = now.idle - before.idle + (now.own - before.own);
    return Math.max(0, Math.min(now.cores, (now.cores * free) / total));
  }
}

interface Counters {
  readonly cores: number;
  readonly idle: number;
  readonly total: number;
  readonly own: number;
}

/** All in milliseconds, over all cores. */
function read(): Counters {
  const times = cpus().map((cpu) => cpu.times);
  const sum = (of: (time: (typeof times)[number]) => number): number => times.reduce((all, time) => all + of(time), 0);
  const { user, system } = process.cpuUsage();
  return {
    cores: times.length,
    idle: sum(({ idle }) => idle),
    total: sum((time) => time.user + time.nice + time.sys + time.idle + time.irq),
    own: (user + system) / 1000,
  };
}
