/** Markdown for the model card. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** `3 of 4 (75.0 %)`. */
export function ratio(part: number, whole: number): string {
  return whole === 0 ? '–' : `${part} of ${whole} (${percent(part / whole, 1)})`;
}
