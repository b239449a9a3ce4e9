/** What became of a file, or of a whole dataset, since its last snapshot: columns, records, the mix of labels. */

import { type Finding, findingList, type JsonObject } from '@mbk/plugin-sdk';
import { finding } from './codes.ts';
import { shown } from './records/utf8.ts';
import { columnChanges, tableFacts } from './table-facts.ts';

/** Share of the records from which on a change is worth a word. */
const notable = 0.1;

export async function drift(before: JsonObject, after: JsonObject): Promise<readonly Finding[]> {
  const [old, now] = [tableFacts(before), tableFacts(after)];
  const found = findingList();
  if (old.columns !== undefined && now.columns !== undefined && !old.isCut && !now.isCut) {
    for (const change of columnChanges(old.columns, now.columns)) {
      const name = shown(change.name);
      if (change.after === undefined) found.add(finding('dataset/column-removed', `column ${name} is gone`));
      else if (change.before === undefined) {
        found.add(finding('dataset/column-added', `column ${name} (${change.after}) is new`));
      } else if (change.before !== 'null' && change.after !== 'null') {
        const message = `column ${name} was ${change.before} and is ${change.after}`;
        found.add(finding('dataset/column-retyped', message));
      }
    }
  }
  if (old.records !== undefined && now.records !== undefined && now.records < old.records * (1 - notable)) {
    found.add(finding('dataset/records-dropped', `there were ${old.records} records, now ${now.records}`));
  }
  for (const [field, values] of old.labels) {
    const others = now.labels.get(field);
    if (others !== undefined) driftOfLabels(field, values, others, (each) => found.add(each));
  }
  return found.findings();
}

function driftOfLabels(
  field: string,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  add: (finding: Finding) => void,
): void {
  const sum = (counts: ReadonlyMap<string, number>): number =>
    Math.max(
      1,
      [...counts.values()].reduce((a, b) => a + b, 0),
    );
  const [total, totalNow] = [sum(before), sum(after)];
  let moved = 0;
  for (const value of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(value) ?? 0, after.get(value) ?? 0];
    moved += Math.abs(old / total - now / totalNow) / 2;
    // Facts list the commonest values only: one that is not among them is gone only if it was one of the common.
    if (now === 0 && old >= notable * total) {
      const message = `all ${old} records with ${shown(field)} = ${shown(value)} are gone`;
      add(finding('dataset/records-dropped', message));
    }
  }
  if (moved > notable) {
    add(
      finding(
        'dataset/label-mix',
        `${Math.round(100 * moved)} % of the records moved between values of ${shown(field)}`,
      ),
    );
  }
}
