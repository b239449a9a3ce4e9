import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests run from source: the condition is given to Vite, to Node's own resolver inside the test
// processes, and, through `execArgv`, to every worker that a test starts.
const sourceCondition = '@mbk/source';
const conditions = [sourceCondition, 'node', 'module-sync'];

const project = (name: string, root: string, include: string[]) => ({
  extends: true as const,
  test: { name, root, include },
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    pool: 'forks',
    // A process serves many files and loads each module once: to load core anew costs more than most files do. So a test
    // puts back what it changes of the process (folder, umask, spies), and mocks no module.
    isolate: false,
    // Vitest would leave a core to itself, and has next to nothing to do while files run.
    maxWorkers: availableParallelism(),
    execArgv: [`--conditions=${sourceCondition}`],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    setupFiles: [fileURLToPath(new URL('test/seed.ts', import.meta.url))],
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      project('plugin-sdk', 'packages/plugin-sdk', ['test/**/*.test.ts']),
      project('kernels', 'packages/kernels', ['test/**/*.test.ts']),
      project('core', 'packages/core', ['test/**/*.test.ts']),
      project('cli', 'packages/cli', ['test/**/*.test.ts']),
      project('gguf', 'plugins/gguf', ['test/**/*.test.ts']),
      project('checkpoint', 'plugins/checkpoint', ['test/**/*.test.ts']),
      project('dataset', 'plugins/dataset', ['test/**/*.test.ts']),
      project('config', 'plugins/config', ['test/**/*.test.ts']),
      project('workspace', 'test', ['**/*.test.ts']),
    ],
  },
});
