/** Three rows of `id` (int32), `score` (float64) and `text` (dictionary of string), as apache-arrow 21.2.0 writes them; gzip, base64. */

import { gunzipSync } from 'node:zlib';

const packed = {
  file: [
    'H4sIAAAAAAACA5VTsU4DMQx9dxcgqk40EhWcUAfGDixsbLQbG6gLM5RKMCFBh34GH8EHMPIRfAAjI2P/AF4cp5eGVgifck6cs/38',
    '7BuNxxdXJ8A35RVAD0Fq9HGIPZ4N90CDFSmdKAOLjmog2Dr8tubZyI2Pd85VJc4VNovLtE3uig2+3l7q3fXNRGy+nq+Veva57zJu',
    'qOc0geOkgt+451m+7X/gzu2Rv0F2P1jjV62p869zykErn2dBL1RjmH4beYr5a1a9KwxZ4cjbjrXPQ/WL/XjL6opxP3S/UB15fmEe',
    'o/j8nN0px45zZtmXA0YyPDn10b4VGn+rERTAbDqfxXxGHo/JLmfQn59DTcURX+/cuxZn1ffBuJ4mD4/TpLOWK/S3JIaexOkKGitv',
    '12IqG+Xv/jbOqJ+bnciN5L0kGSP5t34AyWEKJGIDAAA=',
  ],
  stream: [
    'H4sIAAAAAAACA5VQS04DMQx982EaoYpGoipRNQuWPUJ3sOQaUCrBqhJ00WNwiB6gB+EQLFlyg/DsOJphaIVw5Lwktl+eHWOMvgA8',
    'xM6JFxjB8aRWOIUae+bVPFX0A/2JPoXUtcye4AqBWV55lhaT+pDwLCgLsF3vtjCrdYH1Tm/Oct74l9Rec3sXfUTjqVoho7+uNi/r',
    'TISGtQ2XWEkNU+WZqBqnu+80lUGzgOfH9OAwpo/gTLP8y2/joathRos5LpV53OnJVnrrKE0u9ZJnGpS/1ojw3dkcs1U4bX6Arhcr',
    'TtQW1p/E7h9W+ib9fP7oZ8azTCj1s+zJ8drBb927wX/NP3QP3/P8FoP44khddaTPv+79GXT2cZPwyxC3/dw8J8FvN9gIqxgDAAA=',
  ],
};

const unpacked = (lines: readonly string[]): Uint8Array =>
  Uint8Array.from(gunzipSync(Buffer.from(lines.join(''), 'base64')));

export const arrowFile: Uint8Array = unpacked(packed.file);
export const arrowStream: Uint8Array = unpacked(packed.stream);
