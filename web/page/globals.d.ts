/** SHA-256 of each file of the page, by its path; the build writes it into the service worker. */
declare const FILE_CHECKSUMS: Record<string, string>;
