import { defineConfig } from 'rolldown';
import { asciiOnly } from './build/ascii-only.js';

// One folder of ES modules for a fast start. It reads the sources, and writes beside `dist`, never into it.
export default defineConfig({
  cwd: import.meta.dirname,
  input: 'src/main.ts',
  platform: 'node',
  logLevel: 'warn',
  resolve: {
    conditionNames: ['@mbk/source', 'node', 'import', 'default'],
  },
  // Entries that Node finds by package name at run time are loaded from their own packages.
  external: [/^@mbk\/[a-z-]+\/worker$/],
  plugins: [asciiOnly()],
  output: {
    dir: 'dist-bundle',
    format: 'esm',
    // Every chunk beside main.js: code that looks for files relative to itself looks from the same place.
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    minify: true,
    keepNames: true,
    cleanDir: true,
  },
});
