/**
 * Writes what is not ASCII as `\uXXXX`, which means the same in every literal and comment. V8 keeps a source with one such
 * character in two bytes for each, which of all that a snapshot loads is a megabyte.
 *
 * @returns {import('rolldown').Plugin}
 */
export function asciiOnly() {
  return {
    name: 'ascii-only',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
      }
    },
  };
}

/** @param {string} unit one UTF-16 unit */
function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
