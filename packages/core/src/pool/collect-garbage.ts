/**
 * Collects the garbage of this thread when it is told to. The collector itself waits until there is nearly as much garbage
 * as there are live values, and keeps the memory: what it left would come on top of what is next.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Collects, in tens of milliseconds; `last-resort` in a hundred, and gives the memory back to the system. For who knows
 * that much was thrown away.
 */
export type CollectGarbage = (how?: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/**
 * What collects. A context that is made while the flag is set has the function; where V8 gives none, nothing is collected
 * early.
 */
export function garbageCollector(): CollectGarbage {
  v8.setFlagsFromString('--expose-gc');
  const found: unknown = vm.runInNewContext('typeof gc === "function" ? gc : undefined');
  v8.setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as CollectGarbage) : () => undefined;
}
