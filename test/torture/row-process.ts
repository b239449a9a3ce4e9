/** One row in a process of its own. Arguments: row, seed, share. Prints what it tried as JSON. */
import { rowNames, runRow } from './rows.ts';

const [text, seed, share] = process.argv.slice(2);
const name = rowNames.find((one) => one === text);
if (name === undefined) throw new RangeError(`expected the name of a row, got ${text}`);
const { points, counts, stories, notes } = await runRow(name, {
  seed: Number(seed),
  share: Number(share),
  progress: (doing) => process.stderr.write(`${doing}\n`),
});
process.stdout.write(JSON.stringify({ points, counts, stories, notes }));
