import Authority
import Identity
import Platform

/// `lakehouse connect TOOL`: a snippet that works, with credentials that can be revoked and expire.
enum ConnectCommand {
    static let tools = [
        "env", "aws", "boto3", "pyiceberg", "spark", "duckdb", "polars", "trino", "sqlalchemy",
        "dbt",
        "superset",
    ]

    static let command = Command(
        "connect", arguments: "TOOL",
        "prints what a tool needs to connect: " + tools.joined(separator: ", "),
        options: [
            CommandOption("user", value: "NAME", "whose rights the tool gets (default admin)"),
            CommandOption("days", value: "N", "the credentials expire after N days (default 30)"),
        ], example: "eval \"$(lakehouse connect env)\"",
        place: .appliance { appliance, parsed, streams in
            let tool = try parsed.required(0, "TOOL")
            guard tools.contains(tool) else {
                throw ApplianceError(
                    .usage, "unknown tool: \(tool)", hint: "one of " + tools.joined(separator: ", ")
                )
            }
            let connection = try Connection(
                appliance, user: parsed["user"] ?? "admin", tool: tool,
                lifetime: try parsed.days() ?? .seconds(30 * 86_400))
            streams.write(connection.snippet(tool))
            return 0
        })

    /// Fresh credentials of one user, and the addresses.
    struct Connection {
        let user: String
        let accessKey: String
        let secretKey: String
        let clientID: String
        let clientSecret: String
        let token: String
        let publicURL: String
        let s3URL: String
        let host: String
        let port: Int
        let authorityPath: String
        let issuer: String

        init(_ appliance: Appliance, user: String, tool: String, lifetime: Duration) throws {
            let context = commandContext()
            let identity = appliance.identity
            if user == "admin" {
                _ = try identity.ensureAccount(context, name: "admin", roles: ["admin"])
            }
            let key = try identity.createAccessKey(
                context, account: user, description: "connect \(tool)", lifetime: lifetime,
                isForConnect: true)
            let client = try identity.createApplicationCredential(
                context, account: user, tool: tool, lifetime: lifetime)
            let principal = try identity.principal(of: client.client)
            token = try identity.issueToken(context, for: principal, clientID: client.client.id)
                .accessToken
            self.user = user
            accessKey = key.accessKeyID
            secretKey = key.secretAccessKey
            clientID = client.client.id
            clientSecret = client.secret ?? ""
            publicURL = appliance.addresses.publicURL
            s3URL = appliance.addresses.s3URL
            host = appliance.addresses.hostName
            port = appliance.addresses.consolePort
            authorityPath = appliance.directory.path + "/tls/ca.pem"
            issuer = publicURL + "/oidc"
        }

        func snippet(_ tool: String) -> String {
            switch tool {
            case "aws": return aws
            case "boto3": return boto3
            case "pyiceberg": return pyiceberg
            case "spark": return spark
            case "duckdb": return duckdb
            case "polars": return polars
            case "trino": return trino
            case "sqlalchemy": return sqlalchemy
            case "dbt": return dbt
            case "superset": return superset
            default: return environment
            }
        }

        private var environment: String {
            let pairs = [
                ("AWS_ENDPOINT_URL", s3URL), ("AWS_ACCESS_KEY_ID", accessKey),
                ("AWS_SECRET_ACCESS_KEY", secretKey), ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-east-1"), ("CATALOG_URI", publicURL + "/iceberg"),
                ("CATALOG_CREDENTIAL", "\(clientID):\(clientSecret)"),
                ("CATALOG_OAUTH2_URI", publicURL + "/oidc/token"), ("WAREHOUSE", "lakehouse"),
                ("TRINO_HOST", host), ("TRINO_PORT", "\(port)"), ("TRINO_USER", user),
                ("TRINO_PASSWORD", clientSecret), ("TRINO_CATALOG", "lakehouse"),
                // What PyIceberg's load_catalog() reads.
                ("PYICEBERG_CATALOG__DEFAULT__TYPE", "rest"),
                ("PYICEBERG_CATALOG__DEFAULT__URI", publicURL + "/iceberg"),
                ("PYICEBERG_CATALOG__DEFAULT__WAREHOUSE", "lakehouse"),
                ("PYICEBERG_CATALOG__DEFAULT__CREDENTIAL", "\(clientID):\(clientSecret)"),
                ("PYICEBERG_CATALOG__DEFAULT__OAUTH2_SERVER_URI", publicURL + "/oidc/token"),
                ("PYICEBERG_CATALOG__DEFAULT__SCOPE", "catalog"),
                ("LAKEHOUSE_TOKEN", token), ("LAKEHOUSE_CA", authorityPath),
                ("LAKEHOUSE_URL", publicURL), ("OIDC_ISSUER", issuer),
            ]
            return pairs.map { "export \($0.0)='\($0.1)'\n" }.joined()
        }

        private var aws: String {
            """
            # Save as ~/.aws/config and ~/.aws/credentials, or export the variables of `connect env`.
            export AWS_ENDPOINT_URL='\(s3URL)'
            export AWS_ACCESS_KEY_ID='\(accessKey)'
            export AWS_SECRET_ACCESS_KEY='\(secretKey)'
            export AWS_DEFAULT_REGION='us-east-1'
            aws s3 ls

            """
        }

        private var boto3: String {
            """
            import boto3

            s3 = boto3.client(
                "s3",
                endpoint_url="\(s3URL)",
                aws_access_key_id="\(accessKey)",
                aws_secret_access_key="\(secretKey)",
                region_name="us-east-1",
            )
            print([bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])

            """
        }

        private var pyiceberg: String {
            """
            from pyiceberg.catalog import load_catalog

            catalog = load_catalog(
                "lakehouse",
                type="rest",
                uri="\(publicURL)/iceberg",
                warehouse="lakehouse",
                credential="\(clientID):\(clientSecret)",
                **{"oauth2-server-uri": "\(publicURL)/oidc/token", "scope": "catalog"},
            )
            print(catalog.list_namespaces())

            """
        }

        private var spark: String {
            """
            spark.sql.catalog.lakehouse=org.apache.iceberg.spark.SparkCatalog
            spark.sql.catalog.lakehouse.type=rest
            spark.sql.catalog.lakehouse.uri=\(publicURL)/iceberg
            spark.sql.catalog.lakehouse.warehouse=lakehouse
            spark.sql.catalog.lakehouse.credential=\(clientID):\(clientSecret)
            spark.sql.catalog.lakehouse.oauth2-server-uri=\(publicURL)/oidc/token
            spark.sql.catalog.lakehouse.scope=catalog
            spark.sql.catalog.lakehouse.io-impl=org.apache.iceberg.aws.s3.S3FileIO
            spark.sql.catalog.lakehouse.s3.endpoint=\(s3URL)
            spark.sql.catalog.lakehouse.s3.path-style-access=true
            spark.sql.catalog.lakehouse.s3.access-key-id=\(accessKey)
            spark.sql.catalog.lakehouse.s3.secret-access-key=\(secretKey)
            spark.sql.catalog.lakehouse.client.region=us-east-1

            """
        }

        private var duckdb: String {
            let endpoint = s3URL.dropFirst("http://".count)
            return """
                CREATE SECRET lakehouse_s3 (
                    TYPE s3, KEY_ID '\(accessKey)', SECRET '\(secretKey)', REGION 'us-east-1',
                    ENDPOINT '\(endpoint)', URL_STYLE 'path', USE_SSL false);
                CREATE SECRET lakehouse_catalog (
                    TYPE iceberg, CLIENT_ID '\(clientID)', CLIENT_SECRET '\(clientSecret)',
                    OAUTH2_SERVER_URI '\(publicURL)/oidc/token');
                ATTACH 'lakehouse' AS lakehouse (
                    TYPE iceberg, ENDPOINT '\(publicURL)/iceberg', SECRET lakehouse_catalog);

                """
        }

        private var polars: String {
            """
            import polars as pl

            options = {
                "aws_endpoint_url": "\(s3URL)",
                "aws_access_key_id": "\(accessKey)",
                "aws_secret_access_key": "\(secretKey)",
                "aws_region": "us-east-1",
                "aws_allow_http": "true",
            }
            # pl.scan_parquet("s3://lakehouse/…", storage_options=options)

            """
        }

        private var trino: String {
            """
            import os

            import trino

            \(Self.ownBundle)
            connection = trino.dbapi.connect(
                host="\(host)",
                port=\(port),
                http_scheme="https",
                verify="\(authorityPath)",
                auth=trino.auth.BasicAuthentication("\(user)", "\(clientSecret)"),
                catalog="lakehouse",
            )
            cursor = connection.cursor()
            cursor.execute("SELECT 1")
            print(cursor.fetchall())

            """
        }

        private var sqlalchemy: String {
            """
            import os

            from sqlalchemy import create_engine, text

            \(Self.ownBundle)
            engine = create_engine(
                "trino://\(user):\(clientSecret)@\(host):\(port)/lakehouse",
                connect_args={"http_scheme": "https", "verify": "\(authorityPath)"},
            )
            with engine.connect() as connection:
                print(connection.execute(text("SELECT 1")).scalar())

            """
        }

        /// The client's own `verify` loses against the environment.
        private static let ownBundle = """
            # The certificate below counts, not the bundle that the environment may name.
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                os.environ.pop(name, None)
            """

        private var dbt: String {
            """
            # Where REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE is set, it outweighs `cert`:
            # env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE dbt build
            lakehouse:
              target: dev
              outputs:
                dev:
                  type: trino
                  method: ldap
                  host: \(host)
                  port: \(port)
                  user: \(user)
                  password: "\(clientSecret)"
                  http_scheme: https
                  cert: \(authorityPath)
                  database: lakehouse
                  schema: analytics
                  threads: 2

            """
        }

        private var superset: String {
            """
            SQLAlchemy URI:  trino://\(user):\(clientSecret)@\(host):\(port)/lakehouse
            Engine parameters:
              {"connect_args": {"http_scheme": "https", "verify": "\(authorityPath)"}}

            """
        }
    }
}
