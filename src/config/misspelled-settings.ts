/**
 * The number of letters of a setting for which one edit is allowed. So `DATABASE_PORT` is not taken for
 * `DATABASE_POOL`.
 */
const LETTERS_PER_EDIT = 7;

/**
 * Finds variables that look like a setting but are none, such as `REQUIRE_APIKEY`. `PORT` and `HOST` are too short to
 * tell.
 *
 * @param variables the names of all variables
 * @param settings the names of all settings
 * @returns each misspelled name with the setting that it resembles
 */
export function findMisspelledSettings(
  variables: string[],
  settings: string[],
): { variable: string; setting: string }[] {
  return variables
    .filter((variable) => !settings.includes(variable))
    .flatMap((variable) => {
      const setting = settings.find((name) => isMisspelled(toLetters(variable), toLetters(name)));
      return setting === undefined ? [] : [{ variable, setting }];
    });
}

function isMisspelled(variable: string, setting: string): boolean {
  const edits = Math.floor(setting.length / LETTERS_PER_EDIT);
  return edits > 0 && isWithinEdits(variable, setting, edits);
}

function toLetters(name: string): string {
  return name.toUpperCase().replace(/[^A-Z]/g, '');
}

/** Whether at most `edits` insertions, deletions, substitutions and swaps of neighbors turn one text into the other. */
function isWithinEdits(a: string, b: string, edits: number): boolean {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const [x, y] = [a.slice(same), b.slice(same)];
  if (x === '' || y === '') return x.length + y.length <= edits;
  if (edits === 0) return false;
  const [x0, x1] = x;
  const [y0, y1] = y;
  return (
    isWithinEdits(x.slice(1), y, edits - 1) ||
    isWithinEdits(x, y.slice(1), edits - 1) ||
    isWithinEdits(x.slice(1), y.slice(1), edits - 1) ||
    (x0 === y1 && x1 === y0 && isWithinEdits(x.slice(2), y.slice(2), edits - 1))
  );
}
