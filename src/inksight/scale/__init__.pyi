from .job import JobResult as JobResult, read_in_shards as read_in_shards
