/** A table in Markdown. The first column is text; the others are numbers unless they are named here. */
export function markdownTable(header: string[], rows: string[][], textColumns: string[] = []): string {
  const alignment = header.map((name, index) => (index === 0 || textColumns.includes(name) ? '---' : '---:'));
  return [header, alignment, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
