/** Every finding that this plugin can make. docs/plugins/dataset.md lists them; a test holds the two together. */

import type { CodeMeaning, Finding } from '@mbk/plugin-sdk';

export type DatasetCode =
  | 'dataset/arrow-batch'
  | 'dataset/arrow-footer'
  | 'dataset/bag-declaration'
  | 'dataset/bag-fetch'
  | 'dataset/bag-no-manifest'
  | 'dataset/bag-oxum'
  | 'dataset/bag-unlisted-file'
  | 'dataset/blank-line'
  | 'dataset/byte-order-mark'
  | 'dataset/checksum-mismatch'
  | 'dataset/column-added'
  | 'dataset/column-count'
  | 'dataset/column-removed'
  | 'dataset/column-retyped'
  | 'dataset/croissant-syntax'
  | 'dataset/duplicate-column'
  | 'dataset/duplicate-file'
  | 'dataset/duplicate-key'
  | 'dataset/duplicate-member'
  | 'dataset/duplicate-record'
  | 'dataset/duplicates-unchecked'
  | 'dataset/empty-file'
  | 'dataset/encoding'
  | 'dataset/invalid-json'
  | 'dataset/label-mix'
  | 'dataset/manifest-algorithm'
  | 'dataset/manifest-syntax'
  | 'dataset/missing-file'
  | 'dataset/mixed-records'
  | 'dataset/mixed-types'
  | 'dataset/no-final-newline'
  | 'dataset/no-records'
  | 'dataset/not-counted'
  | 'dataset/nul-bytes'
  | 'dataset/parquet-column'
  | 'dataset/parquet-encrypted'
  | 'dataset/parquet-footer'
  | 'dataset/parquet-rows'
  | 'dataset/parquet-schema'
  | 'dataset/record-too-long'
  | 'dataset/records-dropped'
  | 'dataset/sample-incomplete'
  | 'dataset/sample-scattered'
  | 'dataset/schema-mismatch'
  | 'dataset/size-mismatch'
  | 'dataset/stray-quote'
  | 'dataset/tar-end'
  | 'dataset/tar-header'
  | 'dataset/truncated'
  | 'dataset/unclosed-quote'
  | 'dataset/unlisted-file'
  | 'dataset/unsafe-path';

export const codes: Readonly<Record<DatasetCode, CodeMeaning>> = {
  'dataset/arrow-batch': {
    severity: 'error',
    meaning: 'a record batch of an Arrow file lies outside the file or cannot be read',
  },
  'dataset/arrow-footer': {
    severity: 'error',
    meaning: 'an Arrow file without its magic, or with a footer or a schema that cannot be read',
  },
  'dataset/bag-declaration': {
    severity: 'error',
    meaning: '`bagit.txt` does not say the version and encoding that RFC 8493 asks for',
  },
  'dataset/bag-fetch': { severity: 'info', meaning: '`fetch.txt` names files that are still to be fetched' },
  'dataset/bag-no-manifest': { severity: 'error', meaning: 'a bag without any `manifest-*.txt`, or without `data/`' },
  'dataset/bag-oxum': {
    severity: 'error',
    meaning: 'the payload is not what `Payload-Oxum` in `bag-info.txt` says: bytes and files',
  },
  'dataset/bag-unlisted-file': {
    severity: 'error',
    meaning: 'a file under `data/` that a manifest of the bag does not list',
  },
  'dataset/blank-line': { severity: 'info', meaning: 'a line without a record among the records' },
  'dataset/byte-order-mark': {
    severity: 'warning',
    meaning: 'the file begins with a byte order mark, which readers take for part of the first record',
  },
  'dataset/checksum-mismatch': { severity: 'error', meaning: 'a file is not the one whose SHA-256 a manifest lists' },
  'dataset/column-added': { severity: 'info', meaning: 'since the last snapshot: a new column' },
  'dataset/column-count': { severity: 'error', meaning: 'a row has more or fewer fields than the header' },
  'dataset/column-removed': { severity: 'warning', meaning: 'since the last snapshot: a column is gone' },
  'dataset/column-retyped': { severity: 'warning', meaning: 'since the last snapshot: a column has another type' },
  'dataset/croissant-syntax': {
    severity: 'error',
    meaning: '`croissant.json` is no JSON, has no `distribution`, or is larger than 2 MiB',
  },
  'dataset/duplicate-column': { severity: 'warning', meaning: 'two columns of one name' },
  'dataset/duplicate-file': { severity: 'warning', meaning: 'two files of one dataset hold the same bytes' },
  'dataset/duplicate-key': {
    severity: 'warning',
    meaning: 'a field stands twice in one record: readers keep the last',
  },
  'dataset/duplicate-member': { severity: 'warning', meaning: 'two members of a tar file have the same name' },
  'dataset/duplicate-record': {
    severity: 'warning',
    meaning: 'a record that was there before, byte for byte; severity by `options.duplicates`',
  },
  'dataset/duplicates-unchecked': {
    severity: 'info',
    meaning: 'more different records than are remembered (1,500,000): later ones were compared with those only',
  },
  'dataset/empty-file': { severity: 'warning', meaning: 'a file of no bytes; info for plain text' },
  'dataset/encoding': { severity: 'error', meaning: 'bytes that are not UTF-8' },
  'dataset/invalid-json': { severity: 'error', meaning: 'a line that is not JSON (RFC 8259)' },
  'dataset/label-mix': {
    severity: 'warning',
    meaning: 'since the last snapshot: more than a tenth of the records moved between the values of a label',
  },
  'dataset/manifest-algorithm': {
    severity: 'info',
    meaning: 'a manifest with other hashes than SHA-256: only whether its files are there was checked',
  },
  'dataset/manifest-syntax': { severity: 'error', meaning: 'a line of a manifest that is none' },
  'dataset/missing-file': { severity: 'error', meaning: 'a manifest lists a file that is not there' },
  'dataset/mixed-records': { severity: 'warning', meaning: 'a JSON line that is no object among lines that are' },
  'dataset/mixed-types': { severity: 'info', meaning: 'a field with values of several types' },
  'dataset/no-final-newline': {
    severity: 'info',
    meaning: 'the last record has no newline: one that is appended joins it',
  },
  'dataset/no-records': { severity: 'warning', meaning: 'a file that is sound and holds no record' },
  'dataset/not-counted': {
    severity: 'info',
    meaning: 'too many files or batches to look into each; the rest was left out of the check',
  },
  'dataset/nul-bytes': { severity: 'error', meaning: 'NUL bytes in text, as a write that was cut off leaves them' },
  'dataset/parquet-column': {
    severity: 'error',
    meaning: 'a column chunk lies outside the file, overlaps another, or counts other values than its row group',
  },
  'dataset/parquet-encrypted': { severity: 'info', meaning: 'an encrypted Parquet footer, which was not looked into' },
  'dataset/parquet-footer': {
    severity: 'error',
    meaning: 'a Parquet file without its magic, or with a footer that cannot be read',
  },
  'dataset/parquet-rows': {
    severity: 'error',
    meaning: 'the rows of the row groups do not add up to those of the footer',
  },
  'dataset/parquet-schema': {
    severity: 'error',
    meaning: 'the schema of a Parquet footer is no tree of columns, or the row groups have other columns',
  },
  'dataset/record-too-long': {
    severity: 'warning',
    meaning: 'a line or record of more than 16 MiB, which was not looked into',
  },
  'dataset/records-dropped': {
    severity: 'warning',
    meaning: 'since the last snapshot: more than a tenth of the records, or all of a label, are gone',
  },
  'dataset/sample-incomplete': {
    severity: 'warning',
    meaning: 'a WebDataset sample lacks a member that nine in ten samples have',
  },
  'dataset/sample-scattered': {
    severity: 'warning',
    meaning: 'the members of a WebDataset sample do not follow one another: readers make two samples of it',
  },
  'dataset/schema-mismatch': {
    severity: 'warning',
    meaning: 'a file of a dataset has other columns than the first of its folder and kind',
  },
  'dataset/size-mismatch': { severity: 'error', meaning: 'a file has another size than a manifest says' },
  'dataset/stray-quote': {
    severity: 'warning',
    meaning: 'a quote within a field that is not quoted, or text behind a closing quote',
  },
  'dataset/tar-header': { severity: 'error', meaning: 'a tar header whose checksum or numbers are wrong' },
  'dataset/tar-end': {
    severity: 'warning',
    meaning: 'a tar file without its two closing blocks, or with bytes behind them',
  },
  'dataset/truncated': { severity: 'error', meaning: 'the file ends within a record, a member or a header' },
  'dataset/unclosed-quote': { severity: 'error', meaning: 'a quoted field that does not end' },
  'dataset/unlisted-file': { severity: 'info', meaning: 'a file that the checksum list beside it does not list' },
  'dataset/unsafe-path': {
    severity: 'error',
    meaning: 'a member or a manifest names a path that is absolute or leads out of its folder',
  },
};

/** A finding of the code, with the severity of the table. */
export function finding(code: DatasetCode, message: string, place: Partial<Finding> = {}): Finding {
  return { code, severity: codes[code].severity, message, ...place };
}
