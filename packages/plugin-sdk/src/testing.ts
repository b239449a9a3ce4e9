/** What the author of a plugin tests it with; the test runner is an argument. */

export { type ConformanceOptions, pluginConformance } from './testing/conformance.ts';
export { type FolderSample, type PluginSample, type TestRunner } from './testing/sample.ts';
export { examinedFolder } from './testing/folder-tests.ts';
export { readLimitsFor, type ReadLimits, type WatchedReader, watchedReader } from './testing/watched-reader.ts';
