/**
 * Collects the garbage of this thread when it is told to. The collector itself waits until there is nearly as much garbage
 * as there are live values, and what it left in the plugin thread would come on top of what storing the same file takes.
 */
import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * What collects: tens of milliseconds, for who knows that much was thrown away. A context that is made while the flag is
 * set has the function; where V8 gives none, nothing is collected early.
 */
export function garbageCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const found: unknown = vm.runInNewContext('typeof gc === "function" ? gc : undefined');
  v8.setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as () => void) : () => undefined;
}
