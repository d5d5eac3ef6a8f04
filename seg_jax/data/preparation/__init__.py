"""From a publisher's files to records on disk: download, unpack, shards, resume, read back."""
