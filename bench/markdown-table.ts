/**
 * Returns a Markdown table. The first column and the named text columns are aligned left, all others right.
 */
export function markdownTable(header: string[], rows: string[][], textColumns: string[] = []): string {
  const alignment = header.map((name, index) => (index === 0 || textColumns.includes(name) ? '---' : '---:'));
  return [header, alignment, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
