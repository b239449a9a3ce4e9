/** The tour of the README: the commands that it shows, and what it says they print. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TourStep {
  /** As a reader would type it: the text after `$ `. */
  readonly command: string;
  /** What stands below it, without the last line end. */
  readonly shown: string;
  /** What happens in the lab before this command, from a `<!-- tour: … -->` line above its block. */
  readonly before: string | undefined;
}

const page = join(import.meta.dirname, '..', '..', 'README.md');
const block = /(?:<!-- tour: (.+?) -->\n+)?```console\n\$ (.+)\n([^]*?)\n?```/g;

export function readTour(): TourStep[] {
  return [...readFileSync(page, 'utf8').matchAll(block)].map(([, before, command = '', shown = '']) => ({
    before,
    command,
    shown,
  }));
}

/** Puts into the README what the commands printed, one text for each step in order. */
export function writeTour(printed: readonly string[]): void {
  const rest = [...printed];
  const text = readFileSync(page, 'utf8').replaceAll(block, (whole, _before, _command, shown: string) => {
    const next = rest.shift();
    if (next === undefined) throw new Error('the tour has more steps than were run');
    return shown === '' ? whole : whole.replace(shown, () => next);
  });
  writeFileSync(page, text);
}
