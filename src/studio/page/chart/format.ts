/** 142000 → "142,000". */
export function formatNumber(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A score to three decimals, a dash where it is not known. */
export function score(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(3).replace("-", "−");
}

/** A share as per cent: 0.1234 → "12.3 %". */
export function percent(value: number): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(value > 0 && value < 0.001 ? 2 : 1)} %` : "–";
}
