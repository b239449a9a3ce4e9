/** What the author of a plugin tests it with; the test runner is an argument. */

export {
  type ConformanceOptions,
  pluginConformance,
  type PluginSample,
  type TestRunner,
} from './testing/conformance.ts';
export { type ReadLimits, type WatchedReader, watchedReader } from './testing/watched-reader.ts';
