/** What differs from one run of the same tour to the next, made equal: ids, keys, times, durations, folders. */

const masks: readonly (readonly [RegExp, string])[] = [
  [/\b(?:[A-Z2-7]{4}-){13}[A-Z2-7]{4}\b/g, 'RECOVERY-KEY'],
  [/\b[0-9a-f]{16}\b/g, '16-HEX-DIGITS---'],
  [/\b[0-9a-f]{10}\b/g, '10-HEX-DGT'],
  [/\b(?=[a-f]*\d)[0-9a-f]{8}\b/g, '8-HEX-DG'],
  [/\b\d{4}-\d\d-\d\d\b/g, 'YYYY-MM-DD'],
  [/\b\d\d:\d\d\b/g, 'HH:MM'],
  [/\bin [\d.]+ m?s\b/g, 'in a moment'],
  // Where data without tensors is cut follows a key of the repository, so what is new and what is stored do too.
  [/\b[\d.]+ [KM]?i?B (?=read|new|written)/g, 'some '],
  [/(\d [KM]?i?B) +[\d.]+ [KM]?i?B +[\d.]+ [KM]?i?B  /g, '$1  some  some  '],
];

export function maskTour(text: string): string {
  return masks.reduce((masked, [what, by]) => masked.replaceAll(what, by), text);
}
