/// What a route of `/api/v1` does, in words, and the members of the JSON that it takes.
struct OpenAPIWords {
    /// The method and the path, as `RoutePattern` prints them.
    let route: String
    let summary: String
    /// Members of the body: `name`, `name!` where it has to be there, `name:boolean` for what is no string
    /// (`boolean`, `integer`, `object`, `strings`, `objects`, `any`). Empty: there is no body.
    let body: String
    /// Names of parameters behind the question mark, in the same notation.
    let query: String

    init(_ route: String, _ summary: String, body: String = "", query: String = "") {
        self.route = route
        self.summary = summary
        self.body = body
        self.query = query
    }

    private static let references = "/api/v1/warehouses/{warehouse}/references"
    private static let table = "/api/v1/warehouses/{warehouse}/tables/{table}"
    private static let warehouse = "/api/v1/warehouses/{warehouse}"

    static let all = people + credentials + roles + work + catalog

    private static let people: [OpenAPIWords] = [
        OpenAPIWords("GET /api/v1/users", "Lists users and service accounts."),
        OpenAPIWords(
            "POST /api/v1/users", "Makes a user or service account.",
            body: "name! id kind displayName email password roles:strings"),
        OpenAPIWords("GET /api/v1/users/{name}", "Shows one user."),
        OpenAPIWords(
            "PATCH /api/v1/users/{name}", "Changes a user, or shuts it out.",
            body: "displayName email isDisabled:boolean"),
        OpenAPIWords(
            "DELETE /api/v1/users/{name}", "Deletes a user with its keys and sessions."),
        OpenAPIWords(
            "PUT /api/v1/users/{name}/password",
            "Sets a password; people who set their own give the present one.",
            body: "password! present"),
        OpenAPIWords(
            "POST /api/v1/users/{name}/login-link", "Makes a login link that works once."),
        OpenAPIWords("PUT /api/v1/users/{name}/roles/{role}", "Gives a user a role."),
        OpenAPIWords("DELETE /api/v1/users/{name}/roles/{role}", "Takes a role from a user."),
        OpenAPIWords("GET /api/v1/groups", "Lists groups with members and roles."),
        OpenAPIWords("POST /api/v1/groups", "Makes a group.", body: "name! id description"),
        OpenAPIWords("GET /api/v1/groups/{name}", "Shows one group."),
        OpenAPIWords("DELETE /api/v1/groups/{name}", "Deletes a group; its members stay."),
        OpenAPIWords(
            "PUT /api/v1/groups/{name}/members/{member}", "Puts a user into a group."),
        OpenAPIWords(
            "DELETE /api/v1/groups/{name}/members/{member}", "Takes a user out of a group."),
        OpenAPIWords("PUT /api/v1/groups/{name}/roles/{role}", "Gives a group a role."),
        OpenAPIWords("DELETE /api/v1/groups/{name}/roles/{role}", "Takes a role from a group."),
    ]

    private static let credentials: [OpenAPIWords] = [
        OpenAPIWords("GET /api/v1/clients", "Lists OAuth clients and credentials of users."),
        OpenAPIWords(
            "POST /api/v1/clients", "Makes a client; its secret is shown once.",
            body: "name! id kind secret user redirectURIs:strings grantTypes:strings "
                + "lifetimeSeconds:integer"),
        OpenAPIWords("GET /api/v1/clients/{id}", "Shows one client."),
        OpenAPIWords(
            "PATCH /api/v1/clients/{id}", "Switches a client off or on.",
            body: "isDisabled!:boolean"),
        OpenAPIWords("POST /api/v1/clients/{id}/rotate", "Gives a client a new secret."),
        OpenAPIWords("DELETE /api/v1/clients/{id}", "Revokes a client."),
        OpenAPIWords("GET /api/v1/keys", "Lists S3 access keys without their secrets."),
        OpenAPIWords(
            "POST /api/v1/keys", "Makes an S3 access key; its secret is shown once.",
            body: "user! createUser:boolean accessKeyId secretAccessKey description "
                + "lifetimeSeconds:integer"),
        OpenAPIWords("POST /api/v1/keys/{id}/rotate", "Gives an access key a new secret."),
        OpenAPIWords(
            "PATCH /api/v1/keys/{id}", "Switches an access key off or on.",
            body: "isDisabled!:boolean"),
        OpenAPIWords("DELETE /api/v1/keys/{id}", "Deletes an access key."),
    ]

    private static let roles: [OpenAPIWords] = [
        OpenAPIWords("GET /api/v1/roles", "Lists roles with their grants."),
        OpenAPIWords(
            "POST /api/v1/roles", "Makes a role.", body: "name! id description grants:objects"),
        OpenAPIWords("GET /api/v1/roles/{name}", "Shows one role."),
        OpenAPIWords("DELETE /api/v1/roles/{name}", "Deletes a role that is not built in."),
        OpenAPIWords(
            "POST /api/v1/roles/{name}/grants", "Adds a grant to a role.",
            body: "actions!:strings resource! effect rowFilter columnMasks:object"),
        OpenAPIWords("DELETE /api/v1/roles/{name}/grants/{id}", "Takes a grant from a role."),
        OpenAPIWords("GET /api/v1/grants", "Lists every grant with its role."),
        OpenAPIWords(
            "GET /api/v1/rights", "Lists rights on warehouses, schemas, tables and views."),
        OpenAPIWords(
            "POST /api/v1/rights", "Grants or denies privileges to a user, a group or a role.",
            body: "privileges!:strings on! user group role deny:boolean"),
        OpenAPIWords(
            "POST /api/v1/rights/revoke", "Takes privileges and their denials back.",
            body: "privileges!:strings on! user group role"),
    ]

    private static let work: [OpenAPIWords] = [
        OpenAPIWords("GET /api/v1/openapi.json", "Describes this interface."),
        OpenAPIWords(
            "POST /api/v1/sql", "Runs a statement and answers columns and rows.",
            body: "sql! catalog schema limit:integer"),
        OpenAPIWords(
            "POST /api/v1/ask", "Answers a question in plain words.",
            body: "question! previous:object asOf frame:object"),
        OpenAPIWords("GET /api/v1/metrics", "Lists models with metrics and dimensions."),
        OpenAPIWords("GET /api/v1/pipelines", "Lists pipelines."),
        OpenAPIWords(
            "POST /api/v1/pipelines/{name}/runs", "Starts a run, and waits for it if asked to.",
            body: "parameters:object wait:boolean"),
        OpenAPIWords("GET /api/v1/runs/{id}", "Shows a run with its steps."),
        OpenAPIWords(
            "GET /api/v1/trace", "Finds where a row came from.",
            query: "table! column! value!"),
        OpenAPIWords("GET /api/v1/trace/{id}", "Shows what belongs to one request or run."),
    ]

    private static let catalog: [OpenAPIWords] = [
        OpenAPIWords("GET \(references)", "Lists branches and tags of a warehouse."),
        OpenAPIWords("POST \(references)", "Makes a branch or tag.", body: "name! from kind"),
        OpenAPIWords("DELETE \(references)/{name}", "Deletes a branch or tag."),
        OpenAPIWords("GET \(references)/{name}/changes", "Shows what a branch changed."),
        OpenAPIWords(
            "GET \(references)/{name}/commits", "Shows the commits of a branch, newest first.",
            query: "limit:integer"),
        OpenAPIWords(
            "POST \(references)/{name}/merge", "Brings a branch's changes onto its parent.",
            body: "into delete:boolean dryRun:boolean"),
        OpenAPIWords("GET \(warehouse)/dropped", "Lists dropped tables that can be had back."),
        OpenAPIWords(
            "POST \(warehouse)/undrop", "Brings a dropped table back.",
            body: "table! id:integer as"),
        OpenAPIWords("GET \(table)/tags", "Shows the tags of a table and its columns."),
        OpenAPIWords(
            "PATCH \(table)/tags", "Sets and removes tags.",
            body: "column set:object remove:strings"),
        OpenAPIWords("GET \(table)/owner", "Tells who a table belongs to."),
        OpenAPIWords("PUT \(table)/owner", "Gives a table to somebody.", body: "owner!"),
        OpenAPIWords("GET \(table)/contracts", "Lists the rules that every commit keeps."),
        OpenAPIWords(
            "PUT \(table)/contracts/{name}", "Declares a rule that every commit keeps.",
            body: "rule! column min:any max:any mode"),
        OpenAPIWords("DELETE \(table)/contracts/{name}", "Takes a rule away."),
        OpenAPIWords("GET \(table)/reports", "Lists what clients told of scans and commits."),
    ]
}
