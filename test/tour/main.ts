/** `pnpm tour`: takes the tour of the README and puts what the commands printed into it. */

import { runTour } from './run-tour.ts';
import { readTour, writeTour } from './tour-page.ts';

const taken = await runTour(readTour());
const failed = taken.find(({ status }) => status !== 0);
if (failed !== undefined) throw new Error(`${failed.command} failed:\n${failed.printed}`);
writeTour(taken.map(({ printed }) => printed));
