/**
 * A process of the stat cache test: `node stat-cache-process.ts FOLDER NUMBER ROUNDS` records its own files, then, in
 * rounds, looks all up that it finds and commits. Prints how many of its own files it knew in each round.
 */
import { asCommitId } from '../../src/format/ids.ts';
import { openStatCache } from '../../src/snapshot/stat-cache.ts';
import { collectionRef, factsOf, readFileOf } from './stat-rows.ts';

const [folder = '', number = '', rounds = ''] = process.argv.slice(2);
const own = collectionRef(number);
const shared = collectionRef('shared');
const known: number[] = [];

for (let round = 0; round < Number(rounds); round += 1) {
  const cache = openStatCache({ folder, name: 'cache' });
  let found = 0;
  for (const collection of [own, shared]) {
    for (let i = 0; i < 50; i += 1) {
      const path = `${collection.collection}/${i}`;
      const row = cache.lookup(path, factsOf(i));
      if (row === undefined) cache.record(path, readFileOf(i), collection);
      else cache.keep(path, row, collection);
      if (row !== undefined && collection === own) found += 1;
    }
  }
  const made = { commit: asCommitId(number.padStart(40, '0')), n: round + 1 };
  cache.commit([
    { ...own, ...made },
    { ...shared, ...made },
  ]);
  if (cache.problem !== undefined) throw new Error(cache.problem);
  cache.close();
  known.push(found);
}
process.stdout.write(JSON.stringify(known));
