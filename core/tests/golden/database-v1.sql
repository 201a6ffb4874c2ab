PRAGMA application_id = 1181895757;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
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
        quota TEXT NOT NULL,
        PRIMARY KEY (request, number)
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
INSERT INTO "keys" VALUES('c5460036-c840-4156-829c-81e1e715d14e','acme','golden','8edc2e19c8bfd0b3','https://api.example/v1',X'7631E81E2AA592B8E3D329094A1C04EAC6C23F09F43103ED82FA56C1D0915EAF8C6E942580CCE8C40BD74A2845FC98D52A9946CC28E9EC95D0','8edc2e19c8bfd0b3',0,1,'untested','',NULL,1.0);
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('data_key',X'7631310019E31F3CC63E9DC1CC314BD92EBD859D2D73ED9F71E98D6D69FA601FA3E6DFC2BB98D9CF7A6CF13DAC41CBBDDF6182461C2CE805C24FFB8978CBC3FEE16CF61F6EB5');
INSERT INTO "meta" VALUES('revision',3);
CREATE TABLE model_overrides (
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        enabled INTEGER CHECK (enabled IN (0, 1)),
        position INTEGER,
        PRIMARY KEY (provider, model)
    ) WITHOUT ROWID;
INSERT INTO "model_overrides" VALUES('acme','m',0,NULL);
CREATE TABLE pools (
        identity TEXT PRIMARY KEY,
        unit TEXT NOT NULL,
        window REAL,
        clock TEXT NOT NULL,
        payload BLOB NOT NULL CHECK (typeof(payload) = 'blob'),
        changed REAL NOT NULL
    ) WITHOUT ROWID;
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
    );
CREATE TABLE settings (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO "settings" VALUES('unified_key',X'7631E81E2AA5D12164E1460708C90F1C57E2BA2C771FE63C378265E6155F275047D1ACE196F25C15585ABFA5F4405B524C5AFC2F970956D27F71A0B11BE6227D7C2B216A874B8DC725914D36BBEE311B');
CREATE INDEX requests_created ON requests (created);
CREATE INDEX attempts_started ON attempts (started);
CREATE TRIGGER keys_insert AFTER insert ON keys BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER keys_update AFTER update ON keys BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER keys_delete AFTER delete ON keys BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER settings_insert AFTER insert ON settings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER settings_update AFTER update ON settings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER settings_delete AFTER delete ON settings BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER model_overrides_insert AFTER insert ON model_overrides BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER model_overrides_update AFTER update ON model_overrides BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
CREATE TRIGGER model_overrides_delete AFTER delete ON model_overrides BEGIN UPDATE meta SET value = value + 1 WHERE name = 'revision'; END;
COMMIT;
