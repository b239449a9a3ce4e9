/** The public face of the store. */

export type { Backend } from './backend/backend.ts';
export { localBackend } from './backend/local.ts';
export { memoryBackend } from './backend/memory.ts';
export { retrying } from './backend/retrying.ts';
export { isCollectionName, isDomainName } from './catalogue/names.ts';
export { calendarOf, isTimezone } from './catalogue/calendar.ts';
export type { Random } from './crypto/hash.ts';
export { compressions, defaultCompression } from './codec/compression.ts';
export type { Compression } from './codec/compression.ts';
export { keyFileText, parseKeyFile, parseRecoveryKey, recoveryKeyText } from './crypto/secret-text.ts';
export type { Secret } from './crypto/slot.ts';
export { errorTable, exitCodes, isMbkError, MbkError } from './errors.ts';
export type { ErrorCode, MbkErrorOptions } from './errors.ts';
export { bytesOfText, displayBytes, encodeByteText } from './format/byte-name.ts';
export type { ByteString, ByteText } from './format/byte-name.ts';
export type { Lifetime } from './format/ids.ts';
export type { GitProvenance } from './format/snapshot-manifest.ts';
export { readRepositoryId } from './keyring/open-keys.ts';
export { formatPlace, parsePlace } from './log/log-memory.ts';
export type { LogPlace } from './log/log-memory.ts';
export { findingsOf, hasErrors } from './operations/asset-findings.ts';
export type { AssetFinding } from './operations/asset-findings.ts';
export { readAssetTable } from './operations/asset-table.ts';
export { catLog } from './operations/cat-log.ts';
export type { ShownEntry } from './operations/cat-log.ts';
export { catObject } from './operations/cat-object.ts';
export type { FoundObject } from './operations/cat-object.ts';
export { exportCatalogue } from './operations/catalogue-export.ts';
export type { ExportOptions, ExportReport } from './operations/catalogue-export.ts';
export { executeCheckout, planCheckout } from './operations/checkout.ts';
export type {
  CheckoutFailure,
  CheckoutPlan,
  CheckoutProgress,
  CheckoutReport,
  CheckoutRequest,
  FactProblem,
  PlannedPath,
} from './operations/checkout.ts';
export { diffSnapshots } from './operations/diff.ts';
export type { Difference, DiffReport, DiffRequest, FolderSource } from './operations/diff.ts';
export { findPaths } from './operations/find-paths.ts';
export type { FindOptions, FindProblem, FindRequest, FoundPath } from './operations/find-paths.ts';
export { diffTensors } from './operations/diff-tensors.ts';
export type { ChangedTensor, TensorChange, TensorDifference } from './operations/diff-tensors.ts';
export { diffAssetFolders } from './operations/diff-asset-folders.ts';
export { diffAssets } from './operations/diff-assets.ts';
export type { DifferenceInside } from './operations/diff-assets.ts';
export { exportFolders } from './operations/export-folders.ts';
export type { ExportedFolder, ExportFoldersOptions } from './operations/export-folders.ts';
export { listHistory } from './operations/history.ts';
export type { HistoryCapture, HistoryRequest, HistoryRow } from './operations/history.ts';
export { initRepository } from './operations/init.ts';
export type { InitOptions, InitReport } from './operations/init.ts';
export { addKey, checkKeyName } from './operations/key-add.ts';
export type { AddKeyRequest, KeyAdded } from './operations/key-add.ts';
export { removeKey } from './operations/key-remove.ts';
export type { KeyRemoved } from './operations/key-remove.ts';
export { listKeys } from './operations/keys.ts';
export type { KeyRow, KeyState } from './operations/keys.ts';
export type { KnownAnswer } from './operations/known-answers.ts';
export { lastVerification } from './operations/last-verification.ts';
export type { LastVerification, VerifiedRun } from './operations/last-verification.ts';
export { executeIndexRepair, needsIndexRepair, planIndexRepair } from './operations/repair-index.ts';
export type {
  BadSegment,
  IndexRepaired,
  IndexRepairPlan,
  LeftPack,
  LostPack,
  StrayPack,
} from './operations/repair-index.ts';
export { executeLogRepair, logRepairOptions, planLogRepair } from './operations/repair-log.ts';
export type { LogRepaired, LogRepairPlan, LogRepairStep, RepairLogOptions } from './operations/repair-log.ts';
export { selfTest } from './operations/self-test.ts';
export type { SelfTestOptions, SelfTestReport } from './operations/self-test.ts';
export { listAssets, showAsset } from './operations/show-asset.ts';
export type { ShownAsset } from './operations/show-asset.ts';
export type { AssetLine, AssetReport } from './format/asset-line.ts';
export { showTensors } from './operations/show-tensors.ts';
export type { NamedBase, ShownTensor, ShownTensors } from './operations/show-tensors.ts';
export { showSnapshot } from './operations/show.ts';
export type { ShownCollection, ShownSnapshot } from './operations/show.ts';
export { planSnapshot } from './operations/plan-snapshot.ts';
export type { PlannedCollection, SnapshotPlan } from './operations/plan-snapshot.ts';
export { prepareSnapshot } from './operations/prepare-snapshot.ts';
export type { PrepareSnapshotOptions, SnapshotTools } from './operations/prepare-snapshot.ts';
export { snapshot } from './operations/snapshot.ts';
export type { SnapshotProblem, SnapshotProgress, SnapshotReport, SnapshotRequest } from './operations/snapshot.ts';
export type { CommittedCollection, CommittedSnapshot } from './operations/snapshot-commit.ts';
export { listFiles, openFiles, readFileBytes } from './operations/snapshot-files.ts';
export type { ListedEntry, OpenedFiles } from './operations/snapshot-files.ts';
export { statusOf } from './operations/status.ts';
export type { DomainStatus, StatusReport } from './operations/status.ts';
export { storedFiles } from './operations/stored-files.ts';
export type { StoredFiles } from './operations/stored-files.ts';
export { addTag, listTags, removeTag } from './operations/tags.ts';
export type { AddTagRequest, TagAdded, TagListRow } from './operations/tags.ts';
export { assetUsageOf } from './operations/asset-usage.ts';
export type { AssetUsage, AssetUsageReport, CollectionAssets, SavedSizes } from './operations/asset-usage.ts';
export { livenessOf } from './operations/liveness.ts';
export type { Liveness } from './operations/liveness.ts';
export { usageOf } from './operations/usage.ts';
export type {
  CollectionUsage,
  DomainUsage,
  LivenessUsage,
  PeriodUsage,
  StorageUsage,
  Usage,
  UsageOptions,
  UsageProblem,
  UsageReport,
  UsageRequest,
} from './operations/usage.ts';
export { validateFolder, validateSnapshot } from './operations/validate.ts';
export type { ValidatedAsset, ValidationReport } from './operations/validate.ts';
export { findingTable, verifyRepository } from './operations/verify.ts';
export type {
  Dependent,
  FindingCode,
  Severity,
  VerifyEvent,
  VerifyFinding,
  VerifyOptions,
  VerifyPhase,
  VerifyReport,
  VerifyRequest,
} from './operations/verify.ts';
export type { PluginSource } from './plugins/plugin-source.ts';
export { startPluginThread } from './plugins/plugin-thread.ts';
export { prepareThreads } from './pool/threads.ts';
export type { Threads } from './pool/threads.ts';
export { openRepository } from './repository.ts';
export type { OpenOptions, Processes, Repository } from './repository.ts';
export { assetPlugins } from './snapshot/asset-plugins.ts';
export type { AssetPlugins } from './snapshot/asset-plugins.ts';
export { pluginHost } from './snapshot/plugin-host.ts';
export type { PluginHost, PluginHostOptions } from './snapshot/plugin-host.ts';
export type { CollectionRef } from './snapshot/stat-cache.ts';
export type { StreamedFile } from './snapshot/streamed-file.ts';
export { walk } from './snapshot/walk.ts';
export { walkAhead } from './snapshot/walk-ahead.ts';
export type { WalkAhead } from './snapshot/walk-ahead.ts';
export type { WalkEvent, WalkOptions } from './snapshot/walk.ts';
