import { defineConfig } from 'rolldown';

// The entry of worker threads as few files, because every command that uses threads waits for all of them to start.
export default defineConfig({
  cwd: import.meta.dirname,
  input: 'src/worker.ts',
  platform: 'node',
  logLevel: 'warn',
  resolve: {
    conditionNames: ['@mbk/source', 'node', 'import', 'default'],
  },
  output: {
    dir: 'dist-bundle',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    minify: true,
    keepNames: true,
    cleanDir: true,
  },
});
