/** What tests of mbk and of its backends share; not part of the library that runs. */

export { nodeFileSystem, type LocalFileSystem } from './backend/local-file-system.ts';
export { backendConformance } from './testing/backend-suite.ts';
export { countingFileSystem, type FileSystemCall } from './testing/counting-file-system.ts';
export { errnoError } from './testing/errno-error.ts';
export {
  recordingFileSystem,
  type RecordingFileSystem,
  type RecordingOptions,
} from './testing/recording-file-system.ts';
export type { SuiteExpectation, SuiteRunner } from './testing/runner.ts';
