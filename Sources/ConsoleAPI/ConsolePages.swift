package import Authority
package import Dashboards
import Diagnostics
package import HTTPMessages
package import Platform
package import Metrics
import TableCatalog

/// Everything that pages ask; `Appliance` fills it in.
package struct ConsoleDoors: Sendable {
    package var authenticator: any ConsoleAuthenticator
    package var authorizer: any Authorizer
    package var runner: any QueryRunner
    package var catalog: any CatalogBrowser
    package var queries: any QueryBrowser
    package var pipelines: any PipelineBrowser
    package var audit: any AuditBrowser
    package var appliance: any ApplianceBrowser
    package var watch: any TableWatch
    package var assets: any AssetSource
    /// The dashboards of this moment.
    package var library: @Sendable () -> DashboardLibrary
    package var clock: any WallClock
    /// Answers questions; nil where there is no metric layer.
    package var asker: (any QuestionAnswering)?
    /// The buckets; nil where there are none to show.
    package var storage: (any StorageBrowser)?

    package init(
        authenticator: any ConsoleAuthenticator, authorizer: any Authorizer,
        runner: any QueryRunner, catalog: any CatalogBrowser, queries: any QueryBrowser,
        pipelines: any PipelineBrowser, audit: any AuditBrowser,
        appliance: any ApplianceBrowser, watch: any TableWatch, assets: any AssetSource,
        library: @escaping @Sendable () -> DashboardLibrary, clock: any WallClock,
        asker: (any QuestionAnswering)? = nil, storage: (any StorageBrowser)? = nil
    ) {
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.runner = runner
        self.catalog = catalog
        self.queries = queries
        self.pipelines = pipelines
        self.audit = audit
        self.appliance = appliance
        self.watch = watch
        self.assets = assets
        self.library = library
        self.clock = clock
        self.asker = asker
        self.storage = storage
    }
}

/// The console: its pages, its SQL endpoint, its files.
package struct ConsolePages: Sendable {
    let doors: ConsoleDoors

    package init(_ doors: ConsoleDoors) { self.doors = doors }

    /// The routes for the console's port.
    package var routes: [Route] {
        homeRoutes + sqlRoutes + catalogRoutes + lineageRoutes + pipelineRoutes + dashboardRoutes
            + queryRoutes
            + auditRoutes + askRoutes + storageRoutes + assetRoutes
    }

    var now: Int64 { doors.clock.now().microseconds }

    // MARK: Answering

    /// A page for whoever is logged in; others are sent to log in.
    func page(
        _ path: String, _ section: Section,
        _ body: @escaping @Sendable (Request, PathParameters, ConsoleVisitor) throws -> Page
    ) -> Route {
        Route(.get, path) { request, parameters in
            visit(request, csrfToken: nil, section) { visitor in
                layout(try body(request, parameters, visitor), section, visitor)
            }
        }
    }

    /// A form's target: the CSRF token is checked before `body` runs.
    func form(
        _ path: String, _ section: Section,
        _ body:
            @escaping @Sendable (
                _ form: QueryItems, PathParameters, ConsoleVisitor
            ) throws -> Response
    ) -> Route {
        Route(.post, path) { request, parameters in
            let form: QueryItems?
            do throws(HTTPBodyError) {
                form = try request.readForm(limit: Limits.formBytes)
            } catch {
                return doors.authenticator.secured(bodyRefusal(error))
            }
            guard let form else {
                return doors.authenticator.secured(.text(400, "the form cannot be read\n"))
            }
            return visit(request, csrfToken: form["csrf"], section) { visitor in
                doors.authenticator.secured(try body(form, parameters, visitor))
            }
        }
    }

    /// Authenticates, answers, and turns what was thrown into a page.
    func visit(
        _ request: Request, csrfToken: String?, _ section: Section,
        _ body: (ConsoleVisitor) throws -> Response
    ) -> Response {
        let visitor: ConsoleVisitor
        do throws(ConsoleRefusal) {
            guard
                let known = try doors.authenticator.authenticate(request, csrfToken: csrfToken)
            else { return doors.authenticator.secured(loginRedirect(request)) }
            visitor = known
        } catch { return error.response }
        do {
            return try body(visitor)
        } catch {
            let answer = FaultPage(error)
            return layout(answer.page, section, visitor)
        }
    }

    /// The page in its layout, with the fields that every page has.
    func layout(_ page: Page, _ section: Section, _ visitor: ConsoleVisitor) -> Response {
        var response = Response.html(page.status, Layout.page(page, section, visitor).text)
        if let seconds = page.refreshSeconds { response.fields["Refresh"] = String(seconds) }
        return doors.authenticator.secured(response)
    }

    private func loginRedirect(_ request: Request) -> Response {
        guard request.method == .get || request.method == .head else {
            return .text(401, "log in first\n")
        }
        var next = request.rawPath
        if !request.rawQuery.isEmpty { next += "?" + request.rawQuery }
        return .redirect(to: "/login?next=\(PercentCoding.encode(next))")
    }

    private func bodyRefusal(_ error: HTTPBodyError) -> Response {
        if case .tooLarge = error {
            return .text(413, "a form may have \(Limits.formBytes) bytes\n")
        }
        return .text(400, "the form cannot be read\n")
    }
}

/// What a page is, without its frame.
struct Page: Sendable {
    var title: String
    var body: Markup
    var status = 200
    /// Modules below /assets.
    var scripts: [String] = []
    /// Where the page stands: names and paths from the section down.
    var trail: [(name: String, path: String)] = []
    /// Loads the page again, for what changes by itself.
    var refreshSeconds: Int?
}

/// Limits of the console.
enum Limits {
    static let formBytes = 2 << 20
    static let statementBytes = 1 << 20
    /// Rows of a result in the editor and in its JSON.
    static let resultRows = 1_000
    static let sampleRows = 20
    static let historyRows = 20
    static let listedQueries = 200
    static let listedRuns = 100
    static let auditRows = 100
    /// Namespaces whose tables the home page counts.
    static let countedNamespaces = 100
    static let freshTables = 12
    /// Moments that the slider of a dashboard offers.
    static let moments = 100
    static let exportedRows = 100_000
    static let listedObjects = 500
    static let listedVersions = 100
}
