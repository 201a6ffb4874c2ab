CREATE INDEX attempts_started ON attempts (started);
CREATE INDEX requests_search ON requests (
        created, provider, model, key, status, error, attempts, output_tokens, first_delta_ms, duration_ms, requested, id
    );
CREATE TABLE attempts (
        request TEXT NOT NULL,
        number INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        status INTEGER,
        started REAL NOT NULL,
        first_byte_ms REAL,
        duration_ms REAL,
        message TEXT NOT NULL,
        quota TEXT NOT NULL, passed_over INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (request, number)
    ) WITHOUT ROWID;
CREATE TABLE failures (
        span INTEGER NOT NULL,
        begins INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        PRIMARY KEY (span, begins, provider, model, key, kind)
    ) WITHOUT ROWID;
CREATE TABLE instances (
        name TEXT PRIMARY KEY,
        plugin TEXT NOT NULL,
        base_url TEXT NOT NULL,
        local INTEGER NOT NULL CHECK (local IN (0, 1)),
        concurrent INTEGER,
        created_at REAL NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE keys (
        uuid TEXT PRIMARY KEY,
        provider TEXT NOT NULL,
        label TEXT NOT NULL,
        account TEXT NOT NULL,
        base_url TEXT,
        sealed BLOB NOT NULL CHECK (typeof(sealed) = 'blob'),
        fingerprint TEXT NOT NULL,
        unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
        enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
        state TEXT NOT NULL CHECK (state IN ('untested', 'valid', 'invalid', 'inconclusive')),
        reason TEXT NOT NULL,
        checked_at REAL,
        created_at REAL NOT NULL,
        UNIQUE (provider, fingerprint)
    );
CREATE TABLE listings (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        facts TEXT NOT NULL,
        first_seen REAL,
        last_seen REAL,
        signs TEXT NOT NULL,
        PRIMARY KEY (provider, model)
    ) WITHOUT ROWID;
CREATE TABLE lists (
        provider TEXT PRIMARY KEY,
        asked REAL NOT NULL,
        problem TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE measurements (
        name TEXT PRIMARY KEY,
        at REAL NOT NULL,
        attempts REAL NOT NULL,
        good REAL NOT NULL,
        timed REAL NOT NULL,
        first REAL NOT NULL,
        tokens REAL NOT NULL,
        writing REAL NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE model_overrides (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        enabled INTEGER CHECK (enabled IN (0, 1)),
        position INTEGER,
        PRIMARY KEY (provider, model)
    ) WITHOUT ROWID;
CREATE TABLE plugin_values (
        plugin TEXT NOT NULL,
        name TEXT NOT NULL,
        value BLOB NOT NULL CHECK (typeof(value) = 'blob'),
        expires REAL,
        PRIMARY KEY (plugin, name)
    ) WITHOUT ROWID;
CREATE TABLE pools (
        identity TEXT PRIMARY KEY,
        unit TEXT NOT NULL,
        window REAL,
        clock TEXT NOT NULL,
        payload BLOB NOT NULL CHECK (typeof(payload) = 'blob'),
        changed REAL NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE profiles (name TEXT PRIMARY KEY, profile TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        created REAL NOT NULL,
        surface TEXT NOT NULL,
        requested TEXT NOT NULL,
        provider TEXT,
        model TEXT,
        key TEXT,
        status INTEGER NOT NULL,
        error TEXT,
        stream INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        estimated INTEGER NOT NULL,
        first_delta_ms REAL,
        duration_ms REAL NOT NULL,
        overhead_ms REAL,
        session TEXT
    , passed_over TEXT NOT NULL DEFAULT '[]');
CREATE TABLE settings (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE signed_catalogue (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        source TEXT NOT NULL,
        text BLOB NOT NULL CHECK (typeof(text) = 'blob'),
        signature BLOB NOT NULL CHECK (typeof(signature) = 'blob'),
        taken REAL NOT NULL
    );
CREATE TABLE tallies (
        span INTEGER NOT NULL,
        begins INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        requests INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        fell_back INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        estimated_tokens INTEGER NOT NULL,
        total_ms REAL NOT NULL,
        slowest_ms REAL NOT NULL,
        total_first_ms REAL NOT NULL,
        slowest_first_ms REAL NOT NULL,
        latencies BLOB NOT NULL CHECK (typeof(latencies) = 'blob'),
        firsts BLOB NOT NULL CHECK (typeof(firsts) = 'blob'),
        PRIMARY KEY (span, begins, provider, model, key)
    ) WITHOUT ROWID;
CREATE TRIGGER attempts_tallied AFTER INSERT ON attempts WHEN NEW.kind != 'ok' BEGIN
        INSERT INTO failures
            SELECT column1, CAST(NEW.started / column1 AS INTEGER) * column1, NEW.provider, NEW.model, NEW.key,
                NEW.kind, 1
            FROM (VALUES (60), (1800), (21600), (86400), (259200)) WHERE true
            ON CONFLICT DO UPDATE SET attempts = attempts + 1;
    END;
CREATE TRIGGER instances_delete AFTER delete ON instances BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER instances_insert AFTER insert ON instances BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER instances_update AFTER update ON instances BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER keys_delete AFTER delete ON keys BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER keys_insert AFTER insert ON keys BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER keys_update AFTER update ON keys BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER listings_delete AFTER delete ON listings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER listings_insert AFTER insert ON listings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER listings_update AFTER update ON listings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER model_overrides_delete AFTER delete ON model_overrides BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER model_overrides_insert AFTER insert ON model_overrides BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER model_overrides_update AFTER update ON model_overrides BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER profiles_delete AFTER delete ON profiles BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER profiles_insert AFTER insert ON profiles BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER profiles_update AFTER update ON profiles BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER settings_delete AFTER delete ON settings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER settings_insert AFTER insert ON settings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER settings_update AFTER update ON settings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER signed_catalogue_delete AFTER delete ON signed_catalogue BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER signed_catalogue_insert AFTER insert ON signed_catalogue BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER signed_catalogue_update AFTER update ON signed_catalogue BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
