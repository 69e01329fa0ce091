import Authority

extension Action {
    /// Whether it changes nothing: what is left to people in a lakehouse that is open for reading only.
    var onlyLooks: Bool {
        switch self {
        case .bucketList, .objectRead, .objectList, .warehouseUse, .namespaceList, .tableSelect,
            .tableList, .modelUse, .modelList, .queryRun, .queryKill, .pipelineView,
            .dashboardView, .identityView, .ledgerView:
            true
        case .bucketCreate, .bucketDelete, .bucketConfigure, .objectWrite, .objectDelete,
            .warehouseBranch, .namespaceCreate, .namespaceDrop, .namespaceAlter, .tableCreate,
            .tableDrop, .tableAlter, .tableInsert, .tableUpdate, .tableDelete, .modelCreate,
            .modelDrop, .pipelineRun, .pipelineEdit, .dashboardEdit, .identityAdminister,
            .policyAdminister, .systemAdminister, .impersonate:
            false
        }
    }
}
