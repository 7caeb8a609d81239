/* Every number that limits something, with its unit and its reason. */
#ifndef TIDEMARK_BASE_LIMITS_H
#define TIDEMARK_BASE_LIMITS_H

/* The outside contract of ingest. */
#define MAX_BATCH_EVENTS 10000            /* events of one request */
#define MAX_INGEST_BODY_BYTES (10u << 20) /* of one request, after inflating */
#define MAX_METRICS 128                   /* of one event */
#define MAX_NAME_BYTES 128                /* device key, metric, type, site */
#define MAX_UNIT_BYTES 32                 /* of one metric */
#define MAX_LABELS_BYTES 2048             /* of one metric, as JSON */
#define MAX_EVENT_DATA_BYTES (64u << 10)  /* an event's data */
#define MAX_METRIC_MAGNITUDE 1e100        /* beyond it a reading is a fault of the device */
/* 1600-01-01: before what any device's clock says, after the first years that dates can say */
#define MIN_SAMPLE_TIME_US (-11676096000LL * 1000000)
#define MAX_FUTURE_HOURS 24               /* a clock more wrong than this is refused */
#define MAX_ITEM_ERRORS 100               /* listed in one answer; the rest is counted */
#define MAX_JSON_DEPTH 64                 /* deeper bodies are attacks */
/* A rejected item of this, and a body that zstd packs into this, is kept whole; of a longer one the
 * beginning is. */
#define MAX_REJECT_WHOLE_BYTES (512u << 10)
#define MAX_REJECT_BYTES (8u << 10)

/* The writer. */
#define BATCH_MAX_ROWS 10000u       /* closes an open batch; more gain little, and others wait */
#define BATCH_MAX_BYTES (8u << 20)  /* closes an open batch */
/* A batch is closed when writing it will take so long: who comes next waits for it. But not below
 * so many rows, of which a commit is the greater part. */
#define BATCH_MAX_US 60000
#define BATCH_LEAST_ROWS 2000u
#define QUEUE_MAX_BYTES (64u << 20) /* of requests that wait for a writer; beyond it 503 */
#define QUEUE_LEAST_PART 64 /* a tenant finds so much room whatever the others have, */
#define QUEUE_SPARE_PART 8  /* until the queue is so much over */
#define QUEUE_UNKNOWN_PART 8 /* an eighth, for all who are not known before their body is read */
/* what a request takes in memory, its columns and copies included (measured: a batch in JSON: 4) */
#define REQUEST_BYTES_PER_BODY_BYTE 4u
#define PACKED_RATIO 16u /* a packed body is taken to be so many times as long, until it is read */
/* what a small request of a thread takes without being weighed: sixteen of them are little */
#define UNWEIGHED_BYTES (512u << 10)
#define WEIGHED_STEP_BYTES (1u << 20) /* room that is asked for at a time */
#define SERIES_CACHE_MAX 640000     /* entries of one process, 32 to 100 bytes each; half stay */
#define NAME_CACHE_AGE_MS 5000      /* a retired, moved or deleted device stops within this */
#define NAME_CACHE_LONG_MS (60 * 60 * 1000) /* while we are told of changes, all hold this long */
#define NAME_CHANGES_INTERVAL_MS 1000       /* how often we ask for them */
#define NAME_CHANGES_MAX 10000              /* of more all are asked for anew */
#define OPEN_WINDOW_MINUTES 5       /* samples older than this are noted as changes */
#define INGEST_WRITERS 2            /* of the fast lane: one may wait for its disk */
#define INGEST_LATE_WRITERS 2       /* of the late lane, each with series of its own */
#define SECOND_WRITER_ROWS 2000     /* waiting rows that are worth a writer of their own */
#define SECOND_WRITER_WAIT_US 4000  /* or the disk is slow: another commit may start */
#define GATHER_US 2000              /* a batch waits so long for half of an answered crowd */
#define COPY_MIN_ROWS 2000                /* from here on COPY is faster than unnest (measured) */
/* A chunk that is compressed, from three days on, lets nobody in meanwhile, and the fast lane is
 * everybody's: with older rows it waits no longer for a lock than a glance, then leaves them, and
 * for a while all that are older, to the late lane. */
#define FAST_DAYS 2
#define LOCK_PATIENCE_MS 200 /* the late lane waits so long for a lock, then puts that day off */
#define LOCK_GLANCE_MS 20    /* the fast lane does, and the late one for a batch's further days */
#define WRITE_RETRY_MS 8000         /* how long a batch is tried again before 503 */
#define FLUSH_INTERVAL_MS 2000      /* of last values and times seen */
#define LEDGER_MAX_REJECTS 20000    /* rejections noted between two flushes; half of one tenant */
#define LEDGER_MAX_REJECT_BYTES (8u << 20) /* likewise */
#define REPLAY_INTERVAL_MS 1000     /* how often replays are looked for */
#define TOKEN_CACHE_AGE_MS NAME_CACHE_AGE_MS /* a revoked token stops within this */

/* Requests. */
#define MAX_FORM_BODY_BYTES (64u << 10) /* a page's form */
#define MAX_JSON_BODY_BYTES (256u << 10) /* an admin's JSON */
#define MAX_LIST_BODY_BYTES (1u << 20)   /* a form with a list of devices; nginx takes no more */
#define MAX_BILL_FILE_BYTES (4u << 20)  /* a utility's file: a year of hours with costs */
#define MAX_CORRECTIONS_BODY_BYTES (4u << 20) /* ten thousand of 400 bytes */
#define MAX_PATH_SEGMENTS 16
#define MAX_QUERY_PARAMS 32
#define MAX_RESPONSE_BYTES (32u << 20)  /* a buffered response; longer ones stream */
#define REQUEST_ARENA_BYTES (96u << 20) /* body, inflated body, response */
#define QUICK_BODY_BYTES (64u << 10) /* unpacked; read in under a millisecond, beside others */

/* Memory. */
#define ARENA_FIRST_BLOCK_BYTES (64u << 10) /* kept between requests: holds an ordinary one */
#define ARENA_BLOCK_BYTES (256u << 10)      /* each further block */
#define ARENA_LARGE_BYTES (32u << 10)       /* beyond it a block of its own, whose pages move */

#define CONFIG_ARENA_BYTES (4u << 20) /* the settings with their files' content */
/* sun_path has 108 bytes, and the cluster's "/run/.s.PGSQL.5432.lock" goes into them. */
#define MAX_HOME_BYTES 84

/* Lists. */
#define LIST_LIMIT_DEFAULT 100
#define LIST_LIMIT_MAX 1000

/* Sessions and logins; how long guesses wait is core.login_wait_s(). */
#define SESSION_DAYS 30            /* absolute life */
#define SESSION_IDLE_DAYS 7        /* without a request */
#define MIN_PASSWORD_BYTES 8
#define MAX_PASSWORD_BYTES 1024 /* argon2id's cost does not depend on it, parsing does */
#define TOKEN_RANDOM_BYTES 24   /* 192 bits, 32 characters of base64url */

#endif
