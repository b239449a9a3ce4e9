/** One JSON object whose last field is a list, written as its items come: a snapshot may have millions of files. */

import { toJson } from './output.ts';
import { writeOut } from './stdout.ts';

/** Writes `head` with the list as `field`, an item a line; ends early when nobody reads any more. */
export async function writeJsonList(head: object, field: string, items: AsyncIterable<unknown>): Promise<void> {
  const start = toJson(head).slice(0, -1);
  let separator = `${start}${start === '{' ? '' : ','}"${field}":[`;
  let isEmpty = true;
  for await (const item of items) {
    if (!(await writeOut(process.stdout, `${separator}${toJson(item)}`))) return;
    separator = ',\n';
    isEmpty = false;
  }
  await writeOut(process.stdout, `${isEmpty ? separator : ''}]}\n`);
}
