/** The contract of an mbk plugin, apiVersion 1: what an author writes and what a host relies on. No dependencies. */

export {
  apiVersion,
  type Contribution,
  contributions,
  type FolderContributions,
  type LayoutContext,
  type Manifest,
  type Plugin,
} from './plugin.ts';
export { checkManifest, contributionsOf, definePlugin } from './define-plugin.ts';
export {
  type FolderMatch,
  type Magic,
  magicSpan,
  type Match,
  matchesMagic,
  matchesPath,
  matchingFolderKind,
  matchingKind,
  matchingRule,
  type MatchTarget,
} from './match.ts';
export { memoryReader, type Reader, type ReadOptions, type StreamReader } from './reader.ts';
export { type ExportedFile, type Folder, type FolderFile } from './folder.ts';
export { memoryFolder, type MemoryFolderFile } from './memory-folder.ts';
export { type DiffContext, type PluginContext, type ReaderContext, type Span } from './context.ts';
export { plainContext, type PlainContextOptions } from './plain-context.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { defaultOptions } from './default-options.ts';
export { type Json, type JsonObject, type JsonSchema } from './json.ts';
export { type CodeMeaning, type Finding, findingList, type FindingList, severities, type Severity } from './finding.ts';
export { type Examination, type Inspection } from './inspection.ts';
export { type Change, type ChangeKind, changeKinds, type Difference } from './difference.ts';
export { type ChangeList, changeList, type ChangeListOptions } from './change-list.ts';
export { examineFile, examineFolder, examineStream } from './examine.ts';
export {
  type Checked,
  checkDifference,
  checkExamination,
  checkExport,
  checkFindings,
  checkInspection,
} from './check-answer.ts';
export { differenceSchema, findingSchema, manifestSchema, reportSchema } from './schemas.ts';
export { type Hasher, type Kernels, plainKernels } from './kernels.ts';
export { allFinite, canBeNonFinite, type NonFinite, scanNonFinite, type TensorSpan } from './non-finite.ts';
export {
  isLayoutError,
  type Layout,
  LayoutError,
  type LayoutLimits,
  layoutLimits,
  type LayoutTensor,
} from './layout.ts';
export { checkLayout, type CheckedLayout, type CheckedTensor, type LayoutCheck, makeLayout } from './check-layout.ts';
export { type Block, blockOf, type Dtype, isDtype } from './dtype.ts';
export { roundedCount } from './rounded-count.ts';
export { type ByteCursor, byteCursor, type ByteCursorOptions } from './byte-cursor.ts';
