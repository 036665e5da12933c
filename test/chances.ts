import { expect } from "vitest";

/** Fails where `hits` of `count` draws are farther than 4.5 standard deviations from a chance (1 in 150,000). */
export function expectChance(hits: number, count: number, chance: number): void {
  const deviation = Math.sqrt((chance * (1 - chance)) / count);
  expect(Math.abs(hits / count - chance), `${hits} of ${count}, expected ${chance}`).toBeLessThan(
    4.5 * deviation + 1e-12,
  );
}

/** Fails where counts do not fit equal chances (or `chances`) by χ² at the 0.9999 quantile (Wilson and Hilferty). */
export function expectEven(counts: readonly number[], chances?: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const degrees = counts.length - 1;
  expect(total).toBeGreaterThan(20 * counts.length);
  const value = counts.reduce((sum, count, at) => {
    const mean = total * (chances?.[at] ?? 1 / counts.length);
    return sum + (count - mean) ** 2 / mean;
  }, 0);
  const part = 2 / (9 * degrees);
  expect(value, counts.slice(0, 12).join()).toBeLessThan(degrees * (1 - part + 3.72 * Math.sqrt(part)) ** 3);
}
