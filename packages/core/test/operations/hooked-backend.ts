import type { Backend } from '../../src/backend/backend.ts';

export interface HookedBackend extends Backend {
  /** Runs `work` once, before the next put of a key that begins with `prefix`: where another host comes in between. */
  beforePut(prefix: string, work: () => Promise<unknown>): void;
}

export function hookedBackend(backend: Backend): HookedBackend {
  let hook: { readonly prefix: string; readonly work: () => Promise<unknown> } | undefined;
  return {
    ...backend,
    beforePut(prefix, work) {
      hook = { prefix, work };
    },
    async put(key, parts, options) {
      if (hook !== undefined && key.startsWith(hook.prefix)) {
        const { work } = hook;
        hook = undefined; // what it puts itself does not count
        await work();
      }
      return backend.put(key, parts, options);
    },
  };
}
