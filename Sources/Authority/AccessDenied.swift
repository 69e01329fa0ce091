import Diagnostics

/// An action that the authorizer refused.
package struct AccessDenied: Fault {
    package enum Code: String, Sendable { case denied = "authority.access_denied" }

    package let principal: String
    package let action: Action
    package let resource: Resource
    package let reason: String

    package init(principal: String, action: Action, resource: Resource, reason: String) {
        self.principal = principal
        self.action = action
        self.resource = resource
        self.reason = reason
    }

    package var code: Code { .denied }
    package var message: String {
        "\(principal) may not \(action.rawValue) on \(resource.kind.rawValue) "
            + resource.path.joined(separator: ".")
    }
    package var hint: String? { reason }
}
